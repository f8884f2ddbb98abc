# detile/: a pure library, MIT, no I/O, no malloc, nothing of src/.
EXTRA_DIST += detile/COPYING detile/detile.h
