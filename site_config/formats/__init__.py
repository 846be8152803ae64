"""How dates are written where Django's own way is not ours; other languages keep Django's."""
