# SPDX-License-Identifier: GPL-2.0-or-later
"""What the end-to-end tests share. Python's standard library only."""
