#include "CGoldenFrames.h"

// Part of C since 2023; the compiler remarks on it in older modes.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char frames[] = {
#embed "../../deploy/contract/frames/frames.json"
};
const unsigned char *const golden_frames = frames;
const size_t golden_frames_count = sizeof frames;
