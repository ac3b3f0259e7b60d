/* test_snake.c - the rules of examples/snake/snake.h, one by one; then random boards, where grid and snakes must agree */
#include <stdlib.h>

static long allocations_live, allocations_left = -1; /* how many more succeed; negative for all */

static void* counting_calloc(size_t count, size_t size) {
    if (allocations_left == 0) return NULL;
    if (allocations_left > 0) allocations_left--;
    allocations_live++;
    return calloc(count, size);
}

static void counting_free(void* pointer) {
    if (pointer) allocations_live--;
    free(pointer);
}

#define ENV_CALLOC(count, size) counting_calloc(count, size)
#define ENV_FREE(pointer) counting_free(pointer)

#include "snake.h"
#include "env_vec.h"

#include "check.h"

static Snake make(int width, int height, int num_snakes, int num_food) {
    Snake env = {.width = width, .height = height, .num_snakes = num_snakes, .num_food = num_food, .vision = 2};
    env.max_length = 16;
    env.horizon = 1000;
    env.leave_corpse = true;
    env.reward_food = 0.5f;
    env.reward_corpse = 0.25f;
    env.reward_death = -1;
    env.num_envs = 1;
    env.rng = env_seed(1, 0, 0);
    return env;
}

/* c_init, then arrays of the exact size, then the first episode */
static void open_env(Snake* env) {
    CHECK_TEXT(c_init(env), NULL);
    CHECK_TEXT(env_allocate(env), NULL);
    c_reset(env);
}

static void close_env(Snake* env) {
    c_close(env);
    env_free(env);
}

static int32_t at(const Snake* env, int32_t row, int32_t column) {
    return (row + env->vision) * (env->width + 2 * env->vision) + column + env->vision;
}

/* Puts snake i on these cells, (row, column) each, from the head on. */
static void lay(Snake* env, int32_t i, int32_t heading, int32_t length, const int32_t cells[][2]) {
    SnakeBody* snake = &env->snakes[i];
    for (int32_t k = 0; k < snake->length; k++) snake__put(env, *snake__cell(env, i, k), SNAKE_EMPTY);
    snake->heading = heading;
    snake->length = length;
    for (int32_t k = length - 1; k >= 0; k--) {
        *snake__cell(env, i, k) = at(env, cells[k][0], cells[k][1]);
        snake__put(env, at(env, cells[k][0], cells[k][1]), k ? SNAKE_BODY : SNAKE_HEAD);
    }
}

static void put(Snake* env, int32_t row, int32_t column, uint8_t kind) { snake__put(env, at(env, row, column), kind); }

static int32_t head(const Snake* env, int32_t i) { return *snake__cell(env, i, 0); }

/* NULL where grid, counts, rings and observations agree with each other; else what does not. */
static const char* broken(const Snake* env) {
    int32_t count[SNAKE_KINDS] = {0}, bodies = 0;
    const int32_t side = 2 * env->vision + 1, pitch = env->width + 2 * env->vision, rows = env->height + 2 * env->vision;
    for (int32_t y = 0; y < rows; y++)
        for (int32_t x = 0; x < pitch; x++) {
            const bool inside =
                y >= env->vision && y < env->vision + env->height && x >= env->vision && x < pitch - env->vision;
            const uint8_t kind = env->grid[y * pitch + x];
            if (kind >= SNAKE_KINDS || inside == (kind == SNAKE_WALL)) return "the wall is where the board ends";
            count[kind] += inside;
        }
    if (memcmp(count, env->count, sizeof count) != 0) return "the cells are counted";
    if (count[SNAKE_HEAD] != env->num_snakes) return "a head for each snake";
    if (count[SNAKE_FOOD] != env->num_food && (count[SNAKE_FOOD] > env->num_food || count[SNAKE_EMPTY]))
        return "food comes up";
    for (int32_t i = 0; i < env->num_snakes; i++) {
        const SnakeBody* snake = &env->snakes[i];
        if (snake->length < 1 || snake->length > env->max_length) return "a length in its range";
        if (snake->steps < 0 || snake->steps >= env->horizon) return "steps in their range";
        for (int32_t k = 0; k < snake->length; k++) {
            const int32_t cell = *snake__cell(env, i, k);
            if (env->grid[cell] != (k ? SNAKE_BODY : SNAKE_HEAD)) return "a snake lies on its cells";
            if (!k) continue;
            const int32_t gap = abs(cell - *snake__cell(env, i, k - 1));
            if (gap != 1 && gap != pitch) return "a snake is in one piece";
        }
        bodies += snake->length - 1;
        for (int32_t y = 0; y < side; y++)
            for (int32_t x = 0; x < side; x++)
                if (env->observations[(i * side + y) * side + x] !=
                    env->grid[head(env, i) + (y - env->vision) * pitch + x - env->vision])
                    return "a snake sees what is around its head";
    }
    return bodies == count[SNAKE_BODY] ? NULL : "no cell belongs to two snakes, or to none";
}

static void test_start(void) {
    Snake env = make(6, 5, 3, 7);
    open_env(&env);
    CHECK_EQ(env.num_agents, 3);
    CHECK_EQ(c_observation_space(&env).size, 25);
    CHECK_TEXT(broken(&env), NULL);
    CHECK_EQ(env.count[SNAKE_FOOD], 7);
    for (int i = 0; i < 3; i++) CHECK_EQ(env.snakes[i].length, 1);
    close_env(&env);
}

static void test_moves(void) {
    const int32_t rows[] = {-1, 1, 0, 0}, columns[] = {0, 0, -1, 1}, cells[][2] = {{4, 4}};
    for (int32_t a = 0; a < SNAKE_ACTIONS; a++) {
        Snake env = make(9, 9, 1, 0);
        open_env(&env);
        lay(&env, 0, a ^ 1, 1, cells); /* a snake of one cell may turn back */
        env.actions[0] = a;
        c_step(&env);
        CHECK_EQ(head(&env, 0), at(&env, 4 + rows[a], 4 + columns[a]));
        CHECK_EQ(env.snakes[0].heading, a);
        CHECK_EQ(env.snakes[0].length, 1);
        CHECK_EQ(env.rewards[0], 0);
        CHECK_EQ(env.terminals[0] + env.truncations[0], 0);
        CHECK_TEXT(broken(&env), NULL);
        close_env(&env);
    }
}

static void test_turning_back_is_going_on(void) {
    const int32_t cells[][2] = {{4, 4}, {4, 3}};
    Snake env = make(9, 9, 1, 0);
    open_env(&env);
    lay(&env, 0, SNAKE_RIGHT, 2, cells);
    env.actions[0] = SNAKE_LEFT;
    c_step(&env);
    CHECK_EQ(env.terminals[0], 0);
    CHECK_EQ(head(&env, 0), at(&env, 4, 5));
    CHECK_EQ(*snake__cell(&env, 0, 1), at(&env, 4, 4));
    CHECK_TEXT(broken(&env), NULL);
    close_env(&env);
}

static void test_eats(void) {
    const int32_t cells[][2] = {{4, 4}};
    Snake env = make(9, 9, 1, 1);
    open_env(&env);
    for (int32_t k = 0; k < 81; k++)
        if (env.grid[at(&env, k / 9, k % 9)] == SNAKE_FOOD) put(&env, k / 9, k % 9, SNAKE_EMPTY);
    lay(&env, 0, SNAKE_RIGHT, 1, cells);
    put(&env, 4, 5, SNAKE_FOOD);
    put(&env, 4, 6, SNAKE_CORPSE);
    env.actions[0] = SNAKE_RIGHT;
    c_step(&env);
    CHECK_EQ(env.rewards[0], 0.5f);
    CHECK_EQ(env.snakes[0].length, 2);
    CHECK_EQ(env.count[SNAKE_FOOD], 1); /* somewhere else */
    CHECK_TEXT(broken(&env), NULL);
    c_step(&env);
    CHECK_EQ(env.rewards[0], 0.25f);
    CHECK_EQ(env.snakes[0].length, 3);
    CHECK_EQ(env.count[SNAKE_CORPSE], 0);
    CHECK_EQ(env.snakes[0].eaten, 2);
    CHECK_TEXT(broken(&env), NULL);
    close_env(&env);
}

static void test_grows_up_to_its_limit(void) {
    const int32_t cells[][2] = {{1, 0}};
    Snake env = make(9, 3, 1, 0);
    env.max_length = 3;
    open_env(&env);
    lay(&env, 0, SNAKE_RIGHT, 1, cells);
    for (int32_t k = 1; k < 9; k++) put(&env, 1, k, SNAKE_CORPSE);
    env.actions[0] = SNAKE_RIGHT;
    for (int32_t k = 1; k < 9; k++) {
        c_step(&env);
        CHECK_EQ(env.snakes[0].length, k < 2 ? 2 : 3);
        CHECK_EQ(env.rewards[0], 0.25f);
        CHECK_TEXT(broken(&env), NULL);
    }
    close_env(&env);
}

static void test_the_wall_kills(void) {
    const int32_t cells[][2] = {{0, 4}, {1, 4}, {2, 4}, {3, 4}};
    Snake env = make(9, 9, 1, 0);
    open_env(&env);
    lay(&env, 0, SNAKE_UP, 4, cells);
    env.snakes[0].eaten = 3;
    env.snakes[0].steps = 9;
    env.snakes[0].episode_return = 1.5f;
    env.actions[0] = SNAKE_UP;
    c_step(&env);
    CHECK_EQ(env.rewards[0], -1);
    CHECK_EQ(env.terminals[0], 1);
    CHECK_EQ(env.truncations[0], 0);
    CHECK_EQ(env.count[SNAKE_CORPSE], 2); /* every second cell, and not the head's */
    CHECK_EQ(env.grid[at(&env, 1, 4)], SNAKE_CORPSE);
    CHECK_EQ(env.grid[at(&env, 3, 4)], SNAKE_CORPSE);
    CHECK_EQ(env.snakes[0].length, 1);
    CHECK_EQ(env.snakes[0].steps, 0);
    CHECK_EQ(env.log.score, 4);
    CHECK_NEAR(env.log.perf, 0.3, 1e-7);
    CHECK_EQ(env.log.died, 1);
    CHECK_EQ(env.log.episode_return, 0.5f);
    CHECK_EQ(env.log.episode_length, 10);
    CHECK_EQ(env.log.n, 1);
    CHECK_TEXT(broken(&env), NULL);
    close_env(&env);
}

static void test_without_corpses(void) {
    const int32_t cells[][2] = {{0, 4}, {1, 4}, {2, 4}, {3, 4}};
    Snake env = make(9, 9, 1, 0);
    env.leave_corpse = false;
    open_env(&env);
    lay(&env, 0, SNAKE_UP, 4, cells);
    env.actions[0] = SNAKE_UP;
    c_step(&env);
    CHECK_EQ(env.terminals[0], 1);
    CHECK_EQ(env.count[SNAKE_CORPSE], 0);
    CHECK_TEXT(broken(&env), NULL);
    close_env(&env);
}

static void test_a_snake_kills(void) {
    const int32_t own[][2] = {{4, 4}, {4, 5}, {5, 5}, {5, 4}, {5, 3}}, other[][2] = {{4, 6}, {3, 6}, {2, 6}},
                  alone[][2] = {{3, 5}};
    Snake env = make(9, 9, 2, 0);
    open_env(&env);
    lay(&env, 0, SNAKE_LEFT, 5, own);
    lay(&env, 1, SNAKE_DOWN, 3, other);
    env.actions[0] = SNAKE_DOWN; /* its own body */
    env.actions[1] = SNAKE_DOWN;
    c_step(&env);
    CHECK_EQ(env.terminals[0], 1);
    CHECK_EQ(env.terminals[1], 0);
    CHECK_TEXT(broken(&env), NULL);
    c_reset(&env);
    lay(&env, 0, SNAKE_RIGHT, 1, alone);
    lay(&env, 1, SNAKE_DOWN, 3, other);
    env.actions[0] = SNAKE_RIGHT; /* another's body */
    c_step(&env);
    CHECK_EQ(env.terminals[0], 1);
    CHECK_EQ(env.terminals[1], 0);
    CHECK_TEXT(broken(&env), NULL);
    close_env(&env);
}

/* The head moves first: it may not move to the cell of its own tail. */
static void test_its_own_tail_kills(void) {
    const int32_t cells[][2] = {{4, 4}, {4, 5}, {5, 5}, {5, 4}};
    Snake env = make(9, 9, 1, 0);
    open_env(&env);
    lay(&env, 0, SNAKE_LEFT, 4, cells);
    env.actions[0] = SNAKE_DOWN;
    c_step(&env);
    CHECK_EQ(env.terminals[0], 1);
    close_env(&env);
}

/* Of two snakes that move to one cell the first gets it. The second may move to a cell that the first has left. */
static void test_one_after_the_other(void) {
    const int32_t left[][2] = {{4, 3}}, right[][2] = {{4, 5}}, behind[][2] = {{4, 2}};
    Snake env = make(9, 9, 2, 0);
    open_env(&env);
    lay(&env, 0, SNAKE_RIGHT, 1, left);
    lay(&env, 1, SNAKE_LEFT, 1, right);
    env.actions[0] = SNAKE_RIGHT;
    env.actions[1] = SNAKE_LEFT;
    c_step(&env);
    CHECK_EQ(env.terminals[0], 0);
    CHECK_EQ(env.terminals[1], 1);
    c_reset(&env);
    lay(&env, 0, SNAKE_RIGHT, 1, left);
    lay(&env, 1, SNAKE_RIGHT, 1, behind);
    env.actions[1] = SNAKE_RIGHT;
    c_step(&env);
    CHECK_EQ(env.terminals[1], 0);
    CHECK_EQ(head(&env, 1), at(&env, 4, 3));
    close_env(&env);
}

static void test_time_is_up(void) {
    const int32_t cells[][2] = {{4, 4}, {4, 5}, {4, 6}};
    Snake env = make(9, 9, 1, 0);
    env.horizon = 3;
    open_env(&env);
    lay(&env, 0, SNAKE_LEFT, 3, cells);
    env.actions[0] = SNAKE_LEFT;
    for (int k = 1; k <= 3; k++) {
        c_step(&env);
        CHECK_EQ(env.truncations[0], k == 3);
        CHECK_EQ(env.terminals[0], 0);
        CHECK_EQ(env.rewards[0], 0);
    }
    CHECK_EQ(env.snakes[0].length, 1);
    CHECK_EQ(env.count[SNAKE_CORPSE], 0);
    CHECK_EQ(env.log.score, 3);
    CHECK_EQ(env.log.died, 0);
    CHECK_TEXT(broken(&env), NULL);
    close_env(&env);
}

static void test_the_script_eats_and_lives(void) {
    Snake env = make(20, 20, 1, 20);
    open_env(&env);
    for (int k = 0; k < 200; k++) {
        c_script(&env);
        c_step(&env);
    }
    CHECK(env.log.n <= 5);
    CHECK(env.snakes[0].eaten > 5 || env.log.score > 10);
    close_env(&env);
}

/* The script does not take food in a dead end. */
static void test_the_script_enters_no_dead_end(void) {
    const int32_t cells[][2] = {{4, 4}}, pocket[][2] = {{3, 3}, {2, 3}, {2, 4}, {2, 5}, {3, 5}};
    Snake env = make(9, 9, 2, 0);
    open_env(&env);
    lay(&env, 0, SNAKE_UP, 1, cells);
    lay(&env, 1, SNAKE_DOWN, 4, pocket);
    put(&env, 3, 4, SNAKE_FOOD);
    c_script(&env);
    CHECK_EQ(env.actions[0], SNAKE_UP); /* out again to the right */
    lay(&env, 1, SNAKE_DOWN, 5, pocket);
    c_script(&env);
    CHECK(env.actions[0] != SNAKE_UP);
    close_env(&env);
}

/* One empty cell among ten thousand is found after a few draws. */
static void test_the_last_empty_cell(void) {
    Snake env = make(100, 100, 1, 9998);
    open_env(&env);
    CHECK_EQ(env.count[SNAKE_EMPTY], 1);
    for (int k = 0; k < 20; k++) {
        uint64_t rng = env.rng;
        CHECK_EQ(env.grid[snake__draw_cell(&env)], SNAKE_EMPTY);
        for (int draws = 0; draws < 16 && rng != env.rng; draws++) env_random(&rng);
        CHECK(rng == env.rng);
    }
    close_env(&env);
}

/* Four snakes, and food in every other cell: room appears only where a snake dies. */
static void test_a_full_board(void) {
    Snake env = make(3, 3, 4, 5);
    open_env(&env);
    CHECK_EQ(env.count[SNAKE_EMPTY], 0);
    CHECK_TEXT(broken(&env), NULL);
    for (int k = 0; k < 2000; k++) {
        for (int i = 0; i < 4; i++) env.actions[i] = (int32_t)(env_random(&env.rng) % SNAKE_ACTIONS);
        c_step(&env);
        if (broken(&env)) break;
    }
    CHECK_TEXT(broken(&env), NULL);
    CHECK(env.log.n > 100);
    close_env(&env);
}

static int32_t draw(uint64_t* rng, int32_t least, int32_t most) {
    return least + (int32_t)(env_random(rng) % (uint64_t)(most - least + 1));
}

/* Boards of all kinds, half of them with random actions, half with the script. The caller overwrites the observations. */
static void test_random_boards(void) {
    uint64_t rng = env_seed(5, 0, 0);
    for (int board = 0; board < 300; board++) {
        Snake env = make(draw(&rng, 2, 12), draw(&rng, 2, 12), 1, 0);
        const int32_t cells = env.width * env.height;
        env.num_snakes = draw(&rng, 1, cells < 20 ? cells : 20);
        env.num_food = draw(&rng, 0, cells - env.num_snakes);
        env.vision = draw(&rng, 1, 15);
        env.max_length = draw(&rng, 2, board % 3 ? 40 : 3);
        env.horizon = draw(&rng, 1, 60);
        env.leave_corpse = board % 2;
        env.rng = env_random(&rng);
        open_env(&env);
        const char* wrong = broken(&env);
        for (int k = 0; k < 120 && !wrong; k++) {
            for (int32_t i = 0; i < env.num_snakes; i++) env.actions[i] = draw(&rng, 0, 3);
            if (board % 4 < 2) c_script(&env);
            bool sound = true;
            for (int32_t i = 0; i < env.num_snakes; i++) sound &= env.actions[i] >= 0 && env.actions[i] < SNAKE_ACTIONS;
            memset(env.observations, 255, (size_t)env.num_snakes * (size_t)c_observation_space(&env).size);
            c_step(&env);
            wrong = broken(&env);
            for (int32_t i = 0; i < env.num_snakes; i++) sound &= env.terminals[i] + env.truncations[i] <= 1;
            CHECK(sound);
        }
        CHECK_TEXT(wrong, NULL);
        close_env(&env);
    }
    CHECK_EQ(allocations_live, 0);
}

static void test_equal_seeds(void) {
    Snake a = make(12, 9, 6, 10), b = make(12, 9, 6, 10);
    open_env(&a);
    open_env(&b);
    for (int k = 0; k < 300; k++) {
        c_script(&a);
        c_script(&b);
        c_step(&a);
        c_step(&b);
    }
    CHECK(memcmp(a.observations, b.observations, 6 * 25) == 0);
    CHECK_EQ(a.rng, b.rng);
    close_env(&a);
    close_env(&b);
}

static void test_refuses(void) {
    Snake env = make(3, 3, 4, 6);
    CHECK_TEXT(c_init(&env), "num_snakes, num_food: expected no more of them than the board has cells");
    env.width = 1;
    CHECK_TEXT(c_init(&env), "width: expected 2 to 1024, got 1");
    env.width = 9;
    env.reward_death = NAN;
    CHECK_TEXT(c_init(&env), "reward_death: expected -1 to 1, got nan");
    CHECK_EQ(allocations_live, 0);
}

static void test_without_memory(void) {
    for (allocations_left = 0;;) {
        const long left = allocations_left;
        Snake env = make(9, 9, 2, 2);
        const char* error = c_init(&env);
        if (!error) c_close(&env);
        CHECK_EQ(allocations_live, 0);
        if (!error) break;
        CHECK_TEXT(error, ENV_NO_MEMORY);
        allocations_left = left + 1;
    }
    CHECK_EQ(allocations_left, 0); /* it took just as many as were left */
    allocations_left = -1;
}

static void test_pixels(void) {
    const int32_t sizes[][2] = {{1, 1}, {1, 97}, {131, 1}, {2, 3}, {97, 131}};
    Snake env = make(20, 15, 12, 30);
    open_env(&env);
    for (int k = 0; k < 100; k++) {
        c_script(&env);
        c_step(&env);
    }
    for (int k = 0; k < 5; k++) {
        const size_t bytes = (size_t)sizes[k][0] * (size_t)sizes[k][1] * 3;
        uint8_t* rgb = (uint8_t*)calloc(bytes, 1);
        size_t drawn = 0;
        c_pixels(&env, rgb, sizes[k][0], sizes[k][1]);
        for (size_t b = 0; b < bytes; b++) drawn += rgb[b] != 0;
        CHECK_EQ(drawn, bytes);
        free(rgb);
    }
    close_env(&env);
}

static void test_no_window(void) {
    Snake env = make(9, 9, 2, 2);
    open_env(&env);
    CHECK_EQ(c_render(&env), ENV_NO_WINDOW);
    c_close(&env);
    close_env(&env);
    CHECK_EQ(allocations_live, 0);
}

int main(void) {
    RUN(test_start);
    RUN(test_moves);
    RUN(test_turning_back_is_going_on);
    RUN(test_eats);
    RUN(test_grows_up_to_its_limit);
    RUN(test_the_wall_kills);
    RUN(test_without_corpses);
    RUN(test_a_snake_kills);
    RUN(test_its_own_tail_kills);
    RUN(test_one_after_the_other);
    RUN(test_time_is_up);
    RUN(test_the_script_eats_and_lives);
    RUN(test_the_script_enters_no_dead_end);
    RUN(test_the_last_empty_cell);
    RUN(test_a_full_board);
    RUN(test_random_boards);
    RUN(test_equal_seeds);
    RUN(test_refuses);
    RUN(test_without_memory);
    RUN(test_pixels);
    RUN(test_no_window);
    return check_result();
}
