"""Learning: policies, the network, training, scores, and the configuration of all of them."""
