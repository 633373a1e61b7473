#pragma once

#include <stddef.h>

// The bytes of deploy/contract/frames/frames.json, so that a program that lies elsewhere has them with it.
extern const unsigned char *const golden_frames;
extern const size_t golden_frames_count;
