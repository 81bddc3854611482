"""The table of networks in docs/models.md: which of them the program takes in which form of file,
whether its maps are PyTorch's, and what they cost."""
