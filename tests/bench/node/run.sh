#!/bin/sh
# Runs the benchmark from its own folder; unpacks what is compressed beside it, once. Options: --list, --only, --samples, --json.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
for file in node dist/linux-x64/dawn.node lib/libvulkan.so.1; do
  [ -f "$here/$file.gz" ] && [ ! -f "$here/$file" ] || continue
  gzip -dc "$here/$file.gz" > "$here/$file.part" && chmod +x "$here/$file.part" && mv "$here/$file.part" "$here/$file" || exit 1
done
# The machine's own Vulkan loader goes first; the one that came along stands in.
if ! PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1 '; then
  export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib"
fi
exec "$here/node" "$here/bench.mjs" "$@"
