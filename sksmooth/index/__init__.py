"""From error curves to a smoothness index."""
