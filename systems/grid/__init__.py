"""Feeders, transformers and the frequency of the power grid."""
