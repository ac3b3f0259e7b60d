"""A child process for work that may crash or hang."""

import json
import os
import signal
import traceback
from collections.abc import Callable
from typing import Any


def apart(work: Callable[..., Any], *arguments: Any, seconds: int = 100) -> Any:
    """What work(*arguments) returns, in JSON, out of a forked child; or, as text, the exception or signal that ended it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(seconds)
        try:
            result = work(*arguments)
        except BaseException:
            result = traceback.format_exc()
        with os.fdopen(write, "w") as pipe:
            json.dump(result, pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(text) if status == 0 else f"the process ended with {status}"
