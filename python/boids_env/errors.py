"""The one kind of error that is the user's to mend: the command line prints it as one line and no traceback."""


class UserError(ValueError):
    """An option, a file or a policy that cannot be used. The message says where, what was expected and what came."""


def needs_pufferlib(what: str) -> str:
    """The message where it is missing."""
    return f"{what} needs PufferLib 3.0.0, which is not installed: see 'Installing PufferLib' in README.md"
