// squared.h bound with pybind11: c_style arrays that are taken as they are (.noconvert()) and held.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <stdexcept>
#include <vector>

#include "squared.h"

namespace py = pybind11;
using namespace py::literals;

template <typename T>
using Array = py::array_t<T, py::array::c_style>;

class VecSquared {
    Array<uint8_t> observations;
    Array<int32_t> actions;
    Array<float> rewards;
    Array<uint8_t> terminals, truncations;
    std::vector<Squared> envs;

    void check_open() const {
        if (envs.empty()) throw std::runtime_error("closed");
    }

   public:
    VecSquared(Array<uint8_t> observations_, Array<int32_t> actions_, Array<float> rewards_, Array<uint8_t> terminals_,
               Array<uint8_t> truncations_, py::ssize_t num_envs, int size)
        : observations(observations_),
          actions(actions_),
          rewards(rewards_),
          terminals(terminals_),
          truncations(truncations_) {
        if (num_envs < 1) throw py::value_error("num_envs must be positive");
        if (observations.ndim() != 2 || observations.shape(0) != num_envs || observations.shape(1) != size * size)
            throw py::value_error("observations must be of shape (num_envs, size * size)");
        for (const py::array& array : {py::array(actions), py::array(rewards), py::array(terminals), py::array(truncations)})
            if (array.ndim() != 1 || array.shape(0) != num_envs)
                throw py::value_error("actions, rewards, terminals and truncations must be of shape (num_envs,)");
        envs.resize(static_cast<size_t>(num_envs));
        for (py::ssize_t i = 0; i < num_envs; i++) {
            Squared& env = envs[static_cast<size_t>(i)];
            env.size = size;
            if (const char* error = c_init(&env)) throw py::value_error(error);
            env.observations = observations.mutable_data(i, 0);
            env.actions = actions.mutable_data(i);
            env.rewards = rewards.mutable_data(i);
            env.terminals = terminals.mutable_data(i);
            env.truncations = truncations.mutable_data(i);
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

    py::dict log() {
        check_open();
        double score = 0, episode_length = 0, n = 0;
        for (Squared& env : envs) {
            score += env.log.score, episode_length += env.log.episode_length, n += env.log.n;
            env.log = Log{};
        }
        if (n == 0) return py::dict();
        return py::dict("score"_a = score / n, "episode_length"_a = episode_length / n, "n"_a = n);
    }

    void close() {
        for (Squared& env : envs) c_close(&env);
        envs.clear();
    }

    ~VecSquared() { close(); }
};

PYBIND11_MODULE(squared_pybind11, module) {
    py::class_<VecSquared>(module, "VecSquared")
        .def(py::init<Array<uint8_t>, Array<int32_t>, Array<float>, Array<uint8_t>, Array<uint8_t>, py::ssize_t, int>(),
             "observations"_a.noconvert(), "actions"_a.noconvert(), "rewards"_a.noconvert(), "terminals"_a.noconvert(),
             "truncations"_a.noconvert(), "num_envs"_a = 1, "size"_a = 11)
        .def("reset", &VecSquared::reset, "seed"_a = 0)
        .def("step", &VecSquared::step, py::call_guard<py::gil_scoped_release>())
        .def("log", &VecSquared::log)
        .def("close", &VecSquared::close);
}
