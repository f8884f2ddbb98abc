# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing of OpenGL is used, whatever kind of display it is."""
import re

from lib import host, pattern, rfb

GL = re.compile(r"/lib(GL|GLX|EGL|GLESv\d|GLdispatch|gbm|vulkan|epoxy)\b[^/]*\.so|/dri/")


class Gl(host.Test):
    def serve_without_gl(self, transport):
        for layout in ("linear", "x", "y", "yf", "4"):
            device = (f"sim:mode=320x240,pattern=bars,frame=7,cursor=off,layout={layout},"
                      f"transport={transport}")
            server = self.serve(device, "--spice", f"127.0.0.1:{host.free_port()}")
            with rfb.Client(server.address) as client:
                client.update(incremental=False)
                self.assert_same(client.picture(), pattern.bars(320, 240, 7), layout)
                with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as file:
                    maps = file.read()
            self.assertIn("libspice-server", maps)
            self.assertEqual([line for line in maps.splitlines() if GL.search(line)], [])

    def test_a_served_dmabuf_loads_no_gl(self):
        self.serve_without_gl("dmabuf")

    def test_a_served_region_loads_no_gl(self):
        self.serve_without_gl("region")
