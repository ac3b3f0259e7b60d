"""Values by their names: PufferLib's default.ini, boids.ini, the command line."""

import ast
import configparser
from typing import Any

import pytest

from boids_env import UserError, VecEnv
from boids_env.config import ENV_ARGUMENTS, OWN_INI, env_parameters, load, split_overrides, to_ini
from interpreter import python


def test_overrides_are_told_from_the_rest() -> None:
    arguments = ["a", "--train.learning-rate", "0.1", "--out", "x", "--env.num_boids=5", "--vec.backend", "a=b", "-1"]
    others, overrides = split_overrides(arguments)
    assert others == ["a", "--out", "x", "-1"]
    assert overrides == {"train.learning_rate": "0.1", "env.num_boids": "5", "vec.backend": "a=b"}


@pytest.mark.parametrize("arguments", [["--train.gamma"], ["--train.gamma", "--out", "x"]])
def test_an_override_needs_a_value(arguments: list[str]) -> None:
    with pytest.raises(UserError, match=r"--train\.gamma: expected a value"):
        split_overrides(arguments)


def test_negative_values_are_values() -> None:
    assert split_overrides(["--train.gamma", "-1"])[1] == {"train.gamma": "-1"}


def test_boids_ini_lies_over_pufferlibs() -> None:
    config = load()
    assert config["base"]["env_name"] == "boids"
    assert config["train"]["optimizer"] == "adam"  # ours; PufferLib's is muon
    assert config["train"]["vtrace_rho_clip"] == 1.0  # PufferLib's alone
    assert config["env"]["num_boids"] == 64
    assert "sweep" not in config


def test_every_key_of_boids_ini_means_something() -> None:
    own, default = configparser.ConfigParser(), configparser.ConfigParser()
    own.read(OWN_INI)
    import importlib.util

    spec = importlib.util.find_spec("pufferlib")
    assert spec is not None
    assert spec.submodule_search_locations
    default.read(f"{spec.submodule_search_locations[0]}/config/default.ini")
    ours = {"train": {"cpu_threads"}, "policy": {"hidden_size", "hidden_layers", "shared_value"}}
    for section in own.sections():
        known = {*default[section], *ours.get(section, ())}
        if section == "env":
            known = {*VecEnv.parameters, *ENV_ARGUMENTS}
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
    ],
)
def test_values_take_the_type_of_their_name(name: str, text: str, value: Any) -> None:
    section, key = name.split(".")
    got = load({name: text})[section][key]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train.learnin_rate", "1", r"unknown option --train.learnin-rate: did you mean --train.learning-rate"),
        ("train.num_boids", "1", r"unknown option --train.num-boids: did you mean .*--env.num-boids"),
        ("env.num_bird", "1", r"unknown option --env.num-bird: did you mean --env.num-boids"),
        ("nothing.at_all", "1", r"unknown option --nothing.at-all$"),
        ("train.learning_rate", "fast", r"--train.learning-rate: expected a number, got 'fast'"),
        ("train.total_timesteps", "1.5", r"--train.total-timesteps: expected an integer, got '1.5'"),
        ("train.total_timesteps", "1e999", r"expected an integer"),
        ("train.total_timesteps", "True", r"expected an integer"),
        ("train.anneal_lr", "maybe", r"expected True or False, got 'maybe'"),
        ("train.batch_size", "large", r"expected an integer or auto, got 'large'"),
        ("env.num_envs", "two", r"expected an integer"),
        ("env.view_radius", "wide", r"expected a number"),
        ("env.view_radius", "nan", r"--env.view-radius: expected a number, got 'nan'"),
        ("env.view_radius", "1e999", r"view_radius"),
        ("env.view_radius", "-5", r"view_radius"),
        ("env.separation_radius", "200", r"separation_radius"),
        ("env.observation", "all", r"observation: .*rules"),
    ],
)
def test_mistakes(name: str, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load({name: text})


def test_parameters_of_the_flock_alone() -> None:
    assert env_parameters({"env.num_boids": "9", "env.speed": "3"}) == {"num_boids": 9, "speed": 3.0}
    with pytest.raises(UserError, match=r"unknown option --train.gamma"):
        env_parameters({"train.gamma": "1"})
    with pytest.raises(UserError, match=r"unknown option --env.num-envs"):
        env_parameters({"env.num_envs": "1"})


def test_the_config_as_an_ini_file() -> None:
    config = load({"env.speed": "3", "vec.num_workers": "auto"})
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
        from boids_env.config import load
        try:
            load()
        except UserError as error:
            print(error)
        """,
        hidden=("pufferlib",),
    )
    assert "training needs PufferLib" in done.stdout, done.stderr
