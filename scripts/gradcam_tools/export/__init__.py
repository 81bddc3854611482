"""From a network to a TorchScript file with its description inside, and the comparison of that file
with the network."""
