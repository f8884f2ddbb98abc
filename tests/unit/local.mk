# one program per room; add to check_PROGRAMS and TESTS inside HAVE_CMOCKA
