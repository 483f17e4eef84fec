# SPDX-License-Identifier: BSD-2-Clause
# What extlinux.conf says, as commands: U-Boot runs this where it finds no extlinux/extlinux.conf.
setenv bootargs '@APPEND@'
load ${devtype} ${devnum}:${distro_bootpart} ${kernel_addr_r} Image
booti ${kernel_addr_r} - ${fdt_addr}
