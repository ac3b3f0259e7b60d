"""The kernels of warp_boids.py, in a file of their own, since defining one needs Warp."""

# ruff: noqa: UP018, RUF046  float(0.0) is how Warp tells a variable that changes from a constant

import warp as wp

VIEW = wp.constant(100.0)
SEPARATION = wp.constant(25.0)
SPEED = wp.constant(4.0)
FLOCKMATES = wp.constant(6.0)
DEGREE = wp.constant(0.017453293)


@wp.kernel
def move(
    position: wp.array(dtype=wp.vec3),
    heading: wp.array(dtype=float),
    ahead: wp.array(dtype=wp.vec2),
    action: wp.array(dtype=int),
    width: float,
    height: float,
):
    i = wp.tid()
    a = action[i]
    turn = float(0.0)
    if a == 0 or a == 4:
        turn = 15.0 * DEGREE
    if a == 1 or a == 3:
        turn = 5.0 * DEGREE
    if a > 2:
        turn = -turn
    h = heading[i] + turn
    c = wp.cos(h)
    s = wp.sin(h)
    p = position[i]
    x = p[0] + SPEED * c
    y = p[1] + SPEED * s
    position[i] = wp.vec3(x - width * wp.floor(x / width), y - height * wp.floor(y / height), 0.0)
    heading[i] = h
    ahead[i] = wp.vec2(c, s)


@wp.kernel
def observe(
    grid: wp.uint64,
    position: wp.array(dtype=wp.vec3),
    ahead: wp.array(dtype=wp.vec2),
    observations: wp.array2d(dtype=float),
    rewards: wp.array(dtype=float),
):
    # in the order of cells, which is kinder to the cache
    i = wp.hash_grid_point_id(grid, wp.tid())
    p = position[i]
    n = float(0.0)
    offset = wp.vec2(0.0, 0.0)
    heading = wp.vec2(0.0, 0.0)
    push = wp.vec2(0.0, 0.0)
    nearest2 = float(1.0e12)
    near = wp.hash_grid_query(grid, p, VIEW)
    j = int(0)
    while wp.hash_grid_query_next(near, j):
        d3 = position[j] - p
        d = wp.vec2(d3[0], d3[1])
        d2 = wp.dot(d, d)
        if j != i and d2 < VIEW * VIEW:
            n += 1.0
            offset += d
            heading += ahead[j]
            push += wp.max(SEPARATION * SEPARATION - d2, 0.0) * d
            nearest2 = wp.min(nearest2, d2)

    c = ahead[i][0]
    s = ahead[i][1]
    has = wp.min(n, 1.0)
    per_n = has / wp.max(n, 1.0)
    company = wp.min(n / FLOCKMATES, 1.0)
    offset = offset * (per_n / VIEW)
    heading = heading * per_n
    push = push * (-3.0 / (SEPARATION * SEPARATION * SEPARATION))
    closeness = wp.max(1.0 - wp.sqrt(nearest2) / SEPARATION, 0.0)
    togetherness = company * wp.max(1.0 - wp.length(offset), 0.0)
    mean_cos = heading[0] * c + heading[1] * s
    observations[i, 0] = has
    observations[i, 1] = company
    observations[i, 2] = offset[0] * c + offset[1] * s
    observations[i, 3] = offset[1] * c - offset[0] * s
    observations[i, 4] = mean_cos
    observations[i, 5] = heading[1] * c - heading[0] * s
    observations[i, 6] = wp.clamp(push[0] * c + push[1] * s, -1.0, 1.0)
    observations[i, 7] = wp.clamp(push[1] * c - push[0] * s, -1.0, 1.0)
    observations[i, 8] = closeness
    observations[i, 9] = togetherness
    rewards[i] = wp.clamp(0.4 * togetherness + 0.6 * company * mean_cos - 1.5 * closeness, -1.0, 1.0)
