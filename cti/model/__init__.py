"""The pure model of a call centre: what there is, what states it can be in, what happened and what is wanted."""
