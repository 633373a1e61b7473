#pragma once

#include <stddef.h>

// The files of the page that trade-monitor serves, so that the program is one file.
extern const unsigned char *const monitor_page_html;
extern const size_t monitor_page_html_count;
extern const unsigned char *const monitor_page_style;
extern const size_t monitor_page_style_count;
extern const unsigned char *const monitor_page_script;
extern const size_t monitor_page_script_count;
extern const unsigned char *const monitor_page_icon;
extern const size_t monitor_page_icon_count;
