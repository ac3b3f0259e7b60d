"""Writes a policy.npz as C, for programs without Python: python tools/policy_header.py POLICY.npz HEADER.h

Needs NumPy and boids_env. For discrete turns and tanh layers, which is what `boids train` learns by default.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from boids_env import UserError
from boids_env.learn.policies import Learned, load_policy

HEAD = """\
/* {name} - a flock that has learned, as C: made from {source} by tools/policy_header.py, not to be edited
 *
 * tanh layers of {sizes} floats, from an observation to a score for each turn.
 */
#ifndef BOIDS_POLICY_H
#define BOIDS_POLICY_H

#include "boids.h"

/* clang-format off */
"""

TAIL = """\
/* clang-format on */

{mirror}/* Scores each of the {outputs} turns for one boid. */
static inline void learned_scores(const float observation[{inputs}], float scores[{outputs}]) {{
{layers}}}

/* Draws an action for every boid by the softmax of its scores, from its last observation. rng: the state of env_random.
 * False, and nothing done, for flocks with other observations or actions than it learned with. */
static inline bool learned_act(Boids* env, uint64_t* rng) {{
    if (env->action || boids_observation_size(env) != {inputs}) return false;
    for (int32_t i = 0; i < env->num_boids; i++) {{
        float scores[{outputs}], sum = 0.0f;
        learned_scores(env->observations + (size_t)i * {inputs}, scores);
        float most = scores[0];
        for (int k = 1; k < {outputs}; k++) most = scores[k] > most ? scores[k] : most;
        for (int k = 0; k < {outputs}; k++) sum += scores[k] = expf(scores[k] - most);
        float left = (float)(env_random(rng) >> 40) * (1.0f / 16777216.0f) * sum;
        int32_t turn = 0;
        while (turn < {last} && left >= scores[turn]) left -= scores[turn++];
        ((int32_t*)env->actions)[i] = turn;
    }}
    return true;
}}

#endif
"""

LAYER = """\
    for (int o = 0; o < {outs}; o++) {to}[o] = learned_bias{k}[o];
    for (int i = 0; i < {ins}; i++)
        for (int o = 0; o < {outs}; o++) {to}[o] += {of}[i] * learned_weight{k}[i][o];
"""


MIRROR_LISTS = """\
static const int learned_mirror_from[{inputs}] = {{{source}}};
static const float learned_mirror_sign[{inputs}] = {{{sign}}};
static const int learned_mirror_turn[{outputs}] = {{{turns}}};
"""

MIRROR = """\
/* Of an observation and its mirror image, the policy sees the one with the larger first element in which they differ.
 * Writes what the policy sees. Returns whether it is the mirror image. */
static inline bool learned_see(const float observation[{inputs}], float seen[{inputs}]) {{
    for (int k = 0; k < {inputs}; k++) seen[k] = observation[learned_mirror_from[k]] * learned_mirror_sign[k];
    for (int k = 0; k < {inputs}; k++)
        if (seen[k] != observation[k]) {{
            if (seen[k] > observation[k]) return true;
            break;
        }}
    memcpy(seen, observation, {inputs} * sizeof(float));
    return false;
}}

"""


def numbers(row: np.ndarray) -> str:
    return ", ".join(f"{value:#.9g}f" for value in row)


def header(path: str, name: str) -> str:
    """The text of the header. Raises: UserError."""
    policy = load_policy(path)
    if not isinstance(policy, Learned) or policy.continuous:
        raise UserError(f"{path}: expected a learned policy with discrete turns")
    text, code, mirror, of = "", "", "", "observation"
    inputs, outputs = policy.observation_size, policy.outputs
    if policy.mirror is not None:
        source, sign = policy.mirror.observation
        turns = ", ".join(map(str, policy.mirror.action[0]))
        lists = {"source": ", ".join(map(str, source)), "sign": ", ".join(f"{one:.1f}f" for one in sign), "turns": turns}
        text, mirror = MIRROR_LISTS.format(inputs=inputs, outputs=outputs, **lists), MIRROR.format(inputs=inputs)
        code = f"    float seen[{inputs}], answer[{outputs}];\n    const bool mirrored = learned_see(observation, seen);\n"
        of = "seen"
    for k, (weight, bias) in enumerate(policy.layers):  # (in x out), (out)
        ins, outs = weight.shape
        rows = ",\n".join(f"    {{{numbers(row)}}}" for row in weight)
        text += f"static const float learned_weight{k}[{ins}][{outs}] = {{\n{rows}}};\n"
        text += f"static const float learned_bias{k}[{outs}] = {{{numbers(bias)}}};\n"
        last = k == len(policy.layers) - 1
        to = f"hidden{k}" if not last else "scores" if policy.mirror is None else "answer"
        if not last:
            code += f"    float {to}[{outs}];\n"
        code += LAYER.format(ins=ins, outs=outs, to=to, of=of, k=k)
        if not last:
            code += f"    for (int o = 0; o < {outs}; o++) {to}[o] = tanhf({to}[o]);\n"
        of = to
    if policy.mirror is not None:
        code += f"    for (int k = 0; k < {outputs}; k++) scores[k] = answer[mirrored ? learned_mirror_turn[k] : k];\n"
    sizes = ", ".join(str(size) for size in (inputs, *(len(bias) for _, bias in policy.layers)))
    origin = Path(path).name if path != "learned" else "learned.npz"
    tail = TAIL.format(inputs=inputs, outputs=outputs, last=outputs - 1, mirror=mirror, layers=code)
    return HEAD.format(name=name, source=origin, sizes=sizes) + text + tail


def main() -> int:
    if len(sys.argv) != 3:
        print(f"usage: {Path(sys.argv[0]).name} POLICY.npz HEADER.h", file=sys.stderr)
        return 2
    try:
        text = header(sys.argv[1], Path(sys.argv[2]).name)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    Path(sys.argv[2]).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
