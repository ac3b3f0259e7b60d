// squared.h bound with nanobind: the types of the arrays are in the signature, and an ndarray holds its array.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <stdexcept>
#include <vector>

#include "squared.h"

namespace nb = nanobind;
using namespace nb::literals;

template <typename T, typename Shape = nb::ndim<1>>
using Array = nb::ndarray<nb::numpy, T, Shape, nb::c_contig, nb::device::cpu>;

class VecSquared {
    Array<uint8_t, nb::ndim<2>> observations;
    Array<int32_t> actions;
    Array<float> rewards;
    Array<uint8_t> terminals, truncations;
    std::vector<Squared> envs;

    void check_open() const {
        if (envs.empty()) throw std::runtime_error("closed");
    }

   public:
    VecSquared(Array<uint8_t, nb::ndim<2>> observations_, Array<int32_t> actions_, Array<float> rewards_,
               Array<uint8_t> terminals_, Array<uint8_t> truncations_, size_t num_envs, int size)
        : observations(observations_),
          actions(actions_),
          rewards(rewards_),
          terminals(terminals_),
          truncations(truncations_) {
        if (num_envs < 1) throw nb::value_error("num_envs must be positive");
        if (observations.shape(0) != num_envs || observations.shape(1) != size_t(size * size))
            throw nb::value_error("observations must be of shape (num_envs, size * size)");
        for (size_t length : {actions.size(), rewards.size(), terminals.size(), truncations.size()})
            if (length != num_envs)
                throw nb::value_error("actions, rewards, terminals and truncations must be of shape (num_envs,)");
        envs.resize(num_envs);
        for (size_t i = 0; i < num_envs; i++) {
            Squared& env = envs[i];
            env.size = size;
            if (const char* error = c_init(&env)) throw nb::value_error(error);
            env.observations = &observations(i, 0);
            env.actions = &actions(i);
            env.rewards = &rewards(i);
            env.terminals = &terminals(i);
            env.truncations = &truncations(i);
        }
    }

    void reset(uint64_t seed) {
        check_open();
        for (size_t i = 0; i < envs.size(); i++) {
            envs[i].rng = env_seed(0, seed + 1, i);
            c_reset(&envs[i]);
        }
    }

    void step() {
        check_open();
        for (Squared& env : envs) c_step(&env);
    }

    nb::dict log() {
        check_open();
        nb::dict result;
        double score = 0, episode_length = 0, n = 0;
        for (Squared& env : envs) {
            score += env.log.score, episode_length += env.log.episode_length, n += env.log.n;
            env.log = Log{};
        }
        if (n == 0) return result;
        result["score"] = score / n;
        result["episode_length"] = episode_length / n;
        result["n"] = n;
        return result;
    }

    void close() {
        for (Squared& env : envs) c_close(&env);
        envs.clear();
    }

    ~VecSquared() { close(); }
};

NB_MODULE(squared_nanobind, module) {
    nb::class_<VecSquared>(module, "VecSquared")
        .def(nb::init<Array<uint8_t, nb::ndim<2>>, Array<int32_t>, Array<float>, Array<uint8_t>, Array<uint8_t>, size_t,
                      int>(),
             "observations"_a.noconvert(), "actions"_a.noconvert(), "rewards"_a.noconvert(), "terminals"_a.noconvert(),
             "truncations"_a.noconvert(), "num_envs"_a = 1, "size"_a = 11)
        .def("reset", &VecSquared::reset, "seed"_a = 0)
        .def("step", &VecSquared::step, nb::call_guard<nb::gil_scoped_release>())
        .def("log", &VecSquared::log)
        .def("close", &VecSquared::close);
}
