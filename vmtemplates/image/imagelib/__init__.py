# SPDX-License-Identifier: Apache-2.0
"""The parts of the image build; see ../README.md for what it promises."""
