#include "CMonitorPage.h"

// Part of C since 2023; the compiler remarks on it in older modes.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char html[] = {
#embed "page/index.html"
};
const unsigned char *const monitor_page_html = html;
const size_t monitor_page_html_count = sizeof html;

static const unsigned char style[] = {
#embed "page/monitor.css"
};
const unsigned char *const monitor_page_style = style;
const size_t monitor_page_style_count = sizeof style;

static const unsigned char script[] = {
#embed "page/monitor.js"
};
const unsigned char *const monitor_page_script = script;
const size_t monitor_page_script_count = sizeof script;

static const unsigned char icon[] = {
#embed "page/icon.svg"
};
const unsigned char *const monitor_page_icon = icon;
const size_t monitor_page_icon_count = sizeof icon;
