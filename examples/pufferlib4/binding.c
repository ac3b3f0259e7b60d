/* binding.c - the flock in PufferLib 4: flock.ini says where the files go, puffer4.h is the environment */
#include "puffer4.h"

#define OBS_SIZE 10 /* of `rules`; where `observation` is 1, `nearest`: 10 + 4 * num_neighbors */
#define NUM_ATNS 1
#define ACT_SIZES {5} /* the turns; where `action` is 1, `continuous`: {1} */
#define OBS_TENSOR_T FloatTensor
#include "vecenv.h"

/* Sets what [env] of flock.ini says. The contract has no word for an error: it is printed, and the process ends. */
void my_init(Env* env, Dict* kwargs) {
    env_defaults(&env->boids);
    for (const DictItem* item = kwargs->items; item < kwargs->items + kwargs->size; item++) {
#define SET(type, name, ...) \
    if (!strcmp(item->key, #name)) env->boids.name = (type)puffer4_number(item->value); else
        ENV_PARAMS(SET) puffer4_refuse(item->key, "no such parameter");
    }
    const char* error = puffer4_init(env, OBS_SIZE, get_act_sizes()[0]);
    if (error) puffer4_refuse("[env]", error);
}

void my_log(Log* log, Dict* out) {
#define TELL(name, ...) dict_set(out, #name, log->name);
    ENV_LOG(TELL)
    dict_set(out, "score", log->reward); /* what PufferLib's sweeps look for */
}
