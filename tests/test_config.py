"""Values by their names: the ini files, the command line."""

import ast
import configparser
import re
from typing import Any

import pytest

from boids_env import UserError, VecEnv
from boids_env._boids import Learner
from boids_env.cli import main
from boids_env.learn.config import CHOICES, LIMITS, OWN_INI, SECTIONS, check_parameters, load, to_ini
from interpreter import python


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    """What `boids train --show-config` prints with these arguments, as values by section and key."""
    assert main(["train", "--show-config", *arguments]) == 0
    parser = configparser.ConfigParser()
    parser.read_string(capsys.readouterr().out)
    return {section: {key: literal(text) for key, text in parser[section].items()} for section in parser.sections()}


def literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def test_every_spelling_of_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--train.learning-rate", "0.1", "--env.num_boids=5", "--train.name", "a=b", "--train.project", "-1"]
    config = shown(capsys, "--trainer", "pufferl", *arguments, "--seed", "4")
    assert config["train"]["learning_rate"] == 0.1
    assert config["env"]["num_boids"] == 5
    assert config["train"]["name"] == "a=b"
    assert config["train"]["project"] == -1
    assert config["train"]["seed"] == 4
    assert config["vec"]["seed"] == 42


def test_boids_ini_lies_over_pufferlibs() -> None:
    config = load(trainer="pufferl")
    assert config["base"]["env_name"] == "boids"
    assert config["train"]["optimizer"] == "adam"  # ours; PufferLib's is muon
    assert config["train"]["vtrace_rho_clip"] == 1.0  # PufferLib's alone
    assert config["env"]["num_boids"] == 256
    assert "sweep" not in config


def test_every_key_of_boids_ini_means_something() -> None:
    own, default = configparser.ConfigParser(), configparser.ConfigParser()
    own.read(OWN_INI)
    import importlib.util

    spec = importlib.util.find_spec("pufferlib")
    assert spec is not None
    assert spec.submodule_search_locations
    default.read(f"{spec.submodule_search_locations[0]}/config/default.ini")
    ours = {"train": {"cpu_threads"}, "policy": {"hidden_size", "hidden_layers", "shared_value", "mirror"}}
    for section in own.sections():
        if section == "learn":
            known = {*Learner.settings, "seed", "num_threads", "agent_steps"}
        elif section == "log":
            known = {"logger", "project", "name"}
        elif section != "env":
            known = {*default[section], *ours.get(section, ())}
        else:
            known = {*VecEnv.parameters, "num_envs", "num_threads", "log_interval"}
        assert set(own[section]) <= known, section


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("train.learning_rate", "0.003", 0.003),
        ("train.learning_rate", "1", 1.0),
        ("train.total_timesteps", "2_000_000", 2_000_000),
        ("train.total_timesteps", "2e6", 2_000_000),
        ("train.anneal_lr", "false", False),
        ("train.batch_size", "auto", "auto"),
        ("train.batch_size", "32768", 32768),
        ("train.device", "cuda:1", "cuda:1"),
        ("vec.num_workers", "2", 2),
        ("vec.num_workers", "auto", "auto"),
        ("policy.hidden_size", "32", 32),
        ("policy.shared_value", "True", True),
        ("env.num_envs", "3", 3),
        ("env.speed", "5", 5.0),
        ("env.stagger", "False", False),
        ("env.observation", "nearest", "nearest"),
        ("learn.learning_rate", "1", 1.0),
        ("learn.agent_steps", "2e6", 2_000_000),
        ("learn.annealing", "cosine", "cosine"),
        ("learn.mirror", "false", False),
    ],
)
def test_values_take_the_type_of_their_name(name: str, text: str, value: Any, capsys: pytest.CaptureFixture[str]) -> None:
    section, key = name.split(".")
    trainer = "native" if section in SECTIONS["native"] else "pufferl"
    got = shown(capsys, "--trainer", trainer, f"--{name}", text)[section][key]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train.learnin_rate", "1", r"unknown option --train.learnin-rate: did you mean --train.learning-rate"),
        ("train.num_boids", "1", r"unknown option --train.num-boids: did you mean --env.num-boids\?"),
        ("env.num_bird", "1", r"unknown option --env.num-bird: did you mean --env.num-boids"),
        ("nothing.at_all", "1", r"unknown option --nothing.at-all; see boids train --help$"),
        ("train.learning_rate", "fast", r"--train.learning-rate: expected a number, got 'fast'"),
        ("train.total_timesteps", "1.5", r"--train.total-timesteps: expected an integer, got '1.5'"),
        ("train.total_timesteps", "1e999", r"expected an integer"),
        ("train.total_timesteps", "True", r"expected an integer"),
        ("train.anneal_lr", "maybe", r"expected True or False, got 'maybe'"),
        ("train.batch_size", "large", r"expected an integer or auto, got 'large'"),
        ("env.num_envs", "two", r"--env.num-envs: expected an integer, got 'two'"),
        ("env.num_boids", "2.5", r"--env.num-boids: expected an integer in \[1, 1048576\] boids, got 2.5"),
        ("env.num_boids", "0", r"--env.num-boids: expected an integer in \[1, 1048576\] boids, got 0"),
        ("env.horizon", "many", r"--env.horizon: expected an integer in \[1, 1000000000\] steps, got many"),
        ("env.stagger", "maybe", r"--env.stagger: expected True or False, got 'maybe'"),
        ("env.view_radius", "wide", r"--env.view-radius: expected a number in \[0.001, 500000\] world units, got wide"),
        ("env.view_radius", "nan", r"--env.view-radius: expected a number in \[0.001, 500000\] world units, got nan"),
        ("env.view_radius", "1e999", r"--env.view-radius: expected a number in .*, got 1e999"),
        ("env.view_radius", "-5", r"--env.view-radius: expected a number in .*, got -5"),
        ("env.separation_radius", "200", r"^boids: --env.separation-radius: expected .*, got 200$"),
        ("learn.gamma", "2", r"--learn.gamma: expected a number in \[0, 1\], got 2"),
        ("learn.seed", "-1", r"--learn.seed: expected an integer in \[0, 9223372036854775807\], got -1"),
        ("learn.gama", "1", r"unknown option --learn.gama: did you mean --learn.gamma"),
        ("train.gamma", "1", r"--train.gamma: expected an option of --trainer native, got one of --trainer pufferl"),
        (
            "env.log_interval",
            "9",
            r"--env.log-interval: expected .* native, got one of --trainer pufferl",
        ),
        ("env.observation", "all", r"--env.observation: invalid choice: 'all' \(choose from '?rules'?, '?nearest'?\)"),
    ],
)
def test_mistakes(name: str, text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--show-config", f"--{name}", text]) == 2
    assert re.search(message, capsys.readouterr().err.strip())


def test_options_of_the_other_trainer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--show-config", "--trainer", "pufferl", "--learn.gamma", "1"]) == 2
    expected = "boids: --learn.gamma: expected an option of --trainer pufferl, got one of --trainer native\n"
    assert capsys.readouterr().err == expected


def test_mistakes_of_a_program() -> None:
    with pytest.raises(UserError, match=r"unknown option --train.learnin-rate: did you mean --train.learning-rate"):
        load({"train.learnin_rate": 1}, "pufferl")
    with pytest.raises(UserError, match=r"unknown option --gamma"):
        load({"gamma": 1})
    for name, value in (("train.cpu_threads", True), ("train.gamma", "1"), ("vec.num_envs", 1.5), ("train.seed", -1)):
        with pytest.raises(UserError, match=f"^--{name.replace('_', '-')}: expected a"):
            load({name: value}, "pufferl")
    config = load({"train.learning_rate": 1, "vec.num_workers": "auto"}, "pufferl")
    assert config["train"]["learning_rate"] == 1
    with pytest.raises(UserError, match="separation_radius"):
        load({"env.separation_radius": 200.0})
    with pytest.raises(UserError, match="num_boids: expected an int"):
        check_parameters({"num_boids": "9"})


def test_the_config_as_an_ini_file() -> None:
    config = load({"env.speed": 3.0, "vec.num_workers": "auto"}, "pufferl")
    parser = configparser.ConfigParser()
    parser.read_string(to_ini(config))
    for section, values in config.items():
        for key, value in values.items():
            text = parser[section][key]
            assert text == value if isinstance(value, str) else ast.literal_eval(text) == value


def test_without_pufferlib() -> None:
    done = python(
        """
        from boids_env import UserError
        from boids_env.learn.config import load
        try:
            load(trainer="pufferl")
        except UserError as error:
            print(error)
        """,
        hidden=("pufferlib",),
    )
    assert "--trainer pufferl needs PufferLib" in done.stdout, done.stderr
    code = "from boids_env.cli import main; main(['train', '--train.vtrace-rho-clip', '1'])"  # a key of PufferLib's alone
    assert "--trainer pufferl needs PufferLib" in python(code, hidden=("pufferlib",)).stderr


def test_every_limit_and_choice_is_of_a_value_that_exists() -> None:
    for name in (*LIMITS, *CHOICES):
        section, key = name.split(".")
        trainer = "native" if section == "learn" else "pufferl"
        value = load(trainer=trainer)[section][key]
        load({name: value}, trainer)  # and allows the default
