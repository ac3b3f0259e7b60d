/* network.h - a policy and a value function: two multilayer perceptrons, forwards and backwards
 *
 * A layer computes y = tanh(x W + b), the last one x W + b. The bias b is the last row of W: the weight of an input that is always 1. So
 * a layer is one product of matrices, forwards and backwards (LeCun et al., "Efficient BackProp", 1998):
 *
 *     forward   y  = tanh(x W)              x (rows x inputs + 1), W (inputs + 1 x outputs)
 *     backward  dy = dy (1 - y^2)           d stands for the derivative of the loss by
 *               dW = transposed x, dy
 *               dx = dy, transposed W
 *
 * Memory: a row of inputs or outputs takes learn_padded(size + 1) floats: the numbers, the 1, and zeros. The weights of all layers lie
 * one after the other in one array, each layer with rows of learn_padded(outputs) floats; what pads them is 0 and stays 0.
 * Heads turn the last outputs into a distribution of actions. They work on eight rows at a time, one in each lane.
 */
#ifndef LEARN_NETWORK_H
#define LEARN_NETWORK_H

#include "math.h"

enum {
    LEARN_ROWS = 64,       /* rows that go through the network at a time, so that they stay in the cache */
    LEARN_MOST_LAYERS = 9, /* with the last one */
};

typedef struct LearnLayer {
    int32_t inputs, outputs, columns; /* columns: outputs, padded */
    size_t row, output_row;           /* floats from one row of inputs, or of outputs, to the next */
    size_t weights;                   /* index of the first weight among all */
    size_t transposed;                /* the same for the transposed weights (columns x inputs, padded) */
    size_t output;                    /* the same for the outputs of LEARN_ROWS rows in a LearnScratch */
} LearnLayer;

typedef struct LearnNetwork {
    int32_t depth; /* layers */
    LearnLayer layers[LEARN_MOST_LAYERS];
    size_t num_outputs; /* floats of all layers' outputs, of LEARN_ROWS rows */
    size_t widest;      /* floats of LEARN_ROWS rows of the widest layer */
} LearnNetwork;

static inline const LearnLayer* learn_last(const LearnNetwork* network) { return &network->layers[network->depth - 1]; }

/* Lays out `hidden` layers of `width`, and the last. Adds to *weights and *transposed what they take. */
static inline LearnNetwork learn_network(int32_t inputs, int32_t hidden, int32_t width, int32_t outputs, size_t* weights,
                                         size_t* transposed) {
    LearnNetwork network;
    memset(&network, 0, sizeof network);
    network.depth = hidden + 1;
    for (int32_t k = 0; k <= hidden; k++) {
        LearnLayer* layer = &network.layers[k];
        layer->inputs = k ? width : inputs;
        layer->outputs = k < hidden ? width : outputs;
        layer->columns = (int32_t)learn_padded((size_t)layer->outputs);
        layer->row = learn_padded((size_t)layer->inputs + 1);
        layer->output_row = learn_padded((size_t)layer->outputs + 1);
        layer->weights = *weights;
        layer->transposed = *transposed;
        layer->output = network.num_outputs;
        *weights += (size_t)(layer->inputs + 1) * (size_t)layer->columns;
        *transposed += (size_t)layer->columns * learn_padded((size_t)layer->inputs);
        network.num_outputs += LEARN_ROWS * layer->output_row;
        if (network.widest < LEARN_ROWS * layer->output_row) network.widest = LEARN_ROWS * layer->output_row;
    }
    return network;
}

/* Random weights with deviation gain / sqrt(inputs), gain 1, and `last` in the last layer; no biases. */
static inline void learn_draw_weights(const LearnNetwork* network, float last, uint64_t stream, float* weights) {
    for (int32_t k = 0; k < network->depth; k++) {
        const LearnLayer* layer = &network->layers[k];
        const float deviation = (k + 1 < network->depth ? 1.0f : last) / sqrtf((float)layer->inputs);
        for (int32_t i = 0; i < layer->inputs; i++)
            for (int32_t j = 0; j < layer->outputs; j++) {
                const size_t at = layer->weights + (size_t)i * (size_t)layer->columns + (size_t)j;
                weights[at] = deviation * learn_normal(stream, at);
            }
    }
}

/* Computes the outputs of all layers for up to LEARN_ROWS rows x. Returns those of the last: rows of output_row floats. */
static inline float* learn_forward(const LearnNetwork* network, const float* weights, int rows, const float* x,
                                   float* outputs) {
    float* y = NULL;
    for (int32_t k = 0; k < network->depth; k++, x = y) {
        const LearnLayer* layer = &network->layers[k];
        y = outputs + layer->output;
        learn_product(rows, layer->columns, layer->inputs + 1, x, layer->row, weights + layer->weights,
                      (size_t)layer->columns, y, layer->output_row);
        if (k + 1 == network->depth) break;
        learn_tanh_all(rows, layer->columns, y, layer->output_row);
        for (int i = 0; i < rows; i++) y[(size_t)i * layer->output_row + (size_t)layer->outputs] = 1;
    }
    return y;
}

/* Writes the transposed weights, which learn_backward needs. */
static inline void learn_transpose_weights(const LearnNetwork* network, const float* weights, float* transposed) {
    for (int32_t k = 1; k < network->depth; k++) { /* nobody asks for the derivative by an observation */
        const LearnLayer* layer = &network->layers[k];
        learn_transpose(layer->inputs, layer->columns, weights + layer->weights, (size_t)layer->columns,
                        transposed + layer->transposed, learn_padded((size_t)layer->inputs));
    }
}

/* Adds the gradient to `gradient`, laid out like the weights. dy: the derivative by the last outputs, in rows of output_row floats, 0
 * where they are padded. spare: two arrays of `widest` floats. */
static inline void learn_backward(const LearnNetwork* network, const float* transposed, int rows, const float* x,
                                  const float* outputs, const float* dy, float* const spare[2], float* gradient) {
    for (int32_t k = network->depth - 1; k >= 0; k--) {
        const LearnLayer* layer = &network->layers[k];
        const float* from = k ? outputs + layer[-1].output : x;
        learn_add_product(layer->inputs + 1, layer->columns, rows, from, layer->row, dy, layer->output_row,
                          gradient + layer->weights, (size_t)layer->columns);
        if (k == 0) break;
        float* dx = spare[k & 1];
        const int columns = layer[-1].columns;
        learn_product(rows, columns, layer->outputs, dy, layer->output_row, transposed + layer->transposed, (size_t)columns,
                      dx, layer->row);
        learn_tanh_back(rows, columns, from, layer->row, dx, layer->row);
        dy = dx;
    }
}

/* ---- Heads: the last outputs as a distribution. Arrays of eight rows: element k of row l at [k * LEARN_ROWS + l] --------------- */

/* One discrete action of n choices, by the softmax of their scores z: probabilities p, and their logarithms. Returns the entropy. */
LEARN_INLINE LearnFloats learn_softmax8(int32_t n, const float* z, float* p, float* log_p) {
    LearnFloats most = LEARN_LOAD(z), sum = LEARN_ALL(0.0f), entropy = LEARN_ALL(0.0f);
    for (int32_t c = 1; c < n; c++) most = learn_greater(most, LEARN_LOAD(z + c * LEARN_ROWS));
    for (int32_t c = 0; c < n; c++)
        sum += LEARN_STORE(p + c * LEARN_ROWS) = learn_exp8(LEARN_LOAD(z + c * LEARN_ROWS) - most);
    const LearnFloats log_sum = most + learn_log8(sum), per_sum = 1.0f / sum;
    for (int32_t c = 0; c < n; c++) {
        const LearnFloats log_one = LEARN_LOAD(z + c * LEARN_ROWS) - log_sum;
        LEARN_STORE(log_p + c * LEARN_ROWS) = log_one;
        LEARN_STORE(p + c * LEARN_ROWS) *= per_sum;
        entropy -= LEARN_LOAD(p + c * LEARN_ROWS) * log_one;
    }
    return entropy;
}

/* The choice with the number u in [0, 1) among the cumulated probabilities. */
LEARN_INLINE LearnFloats learn_draw8(int32_t n, const float* p, LearnFloats u) {
    LearnFloats below = LEARN_ALL(0.0f), choice = LEARN_ALL(0.0f);
    for (int32_t c = 0; c + 1 < n; c++) {
        below += LEARN_LOAD(p + c * LEARN_ROWS);
        choice += learn_choose((LearnInts)(u >= below), LEARN_ALL(1.0f), LEARN_ALL(0.0f));
    }
    return choice;
}

/* The choice with the highest score, the first of equals. */
LEARN_INLINE LearnFloats learn_best8(int32_t n, const float* log_p) {
    LearnFloats most = LEARN_LOAD(log_p), choice = LEARN_ALL(0.0f);
    for (int32_t c = 1; c < n; c++) {
        const LearnFloats one = LEARN_LOAD(log_p + c * LEARN_ROWS);
        choice = learn_choose((LearnInts)(one > most), LEARN_ALL((float)c), choice);
        most = learn_greater(most, one);
    }
    return choice;
}

/* The logarithm of the probability of a choice. */
LEARN_INLINE LearnFloats learn_log_p8(int32_t n, const float* log_p, LearnFloats choice) {
    LearnFloats sum = LEARN_ALL(0.0f);
    for (int32_t c = 0; c < n; c++)
        sum += learn_choose((LearnInts)(choice == LEARN_ALL((float)c)), LEARN_LOAD(log_p + c * LEARN_ROWS), LEARN_ALL(0.0f));
    return sum;
}

/* dz = by_log_p d(log p of the choice)/dz + by_entropy d(entropy)/dz:
 * d(log p_a)/dz_c = [c = a] - p_c and dH/dz_c = -p_c (log p_c + H). */
LEARN_INLINE void learn_softmax_back8(int32_t n, const float* p, const float* log_p, LearnFloats entropy, LearnFloats choice,
                                      LearnFloats by_log_p, LearnFloats by_entropy, float* dz) {
    for (int32_t c = 0; c < n; c++) {
        const LearnFloats log_one = LEARN_LOAD(log_p + c * LEARN_ROWS);
        const LearnFloats chosen = learn_choose((LearnInts)(choice == LEARN_ALL((float)c)), by_log_p, LEARN_ALL(0.0f));
        LEARN_STORE(dz + c * LEARN_ROWS) =
            chosen - LEARN_LOAD(p + c * LEARN_ROWS) * (by_log_p + by_entropy * (log_one + entropy));
    }
}

/* A continuous action, normal around the output z, with a deviation whose logarithm is a weight of its own:
 * log p = -((a - z) / deviation)^2 / 2 - log(deviation) - log(2 pi) / 2, and the entropy is log(deviation) + (log(2 pi) + 1) / 2. */
#define LEARN_HALF_LOG_2PI 0.918938533f
LEARN_INLINE LearnFloats learn_normal_log_p8(LearnFloats z, float log_deviation, LearnFloats action) {
    const LearnFloats away = (action - z) * learn_exp(-log_deviation);
    return away * away * -0.5f - (log_deviation + LEARN_HALF_LOG_2PI);
}

#endif
