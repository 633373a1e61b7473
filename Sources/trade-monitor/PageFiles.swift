import CMonitorPage

/// The files of the page, which are in the program.
enum PageFiles {
    static let html = bytes(monitor_page_html, monitor_page_html_count)
    static let style = bytes(monitor_page_style, monitor_page_style_count)
    static let script = bytes(monitor_page_script, monitor_page_script_count)
    static let icon = bytes(monitor_page_icon, monitor_page_icon_count)

    private static func bytes(_ start: UnsafePointer<UInt8>, _ count: Int) -> [UInt8] {
        Array(UnsafeBufferPointer(start: start, count: count))
    }
}
