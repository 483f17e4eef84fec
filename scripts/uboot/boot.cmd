# SPDX-License-Identifier: BSD-2-Clause
# boot.scr, readable: fetch Image from where this script came, and start it.
setenv bootargs '@APPEND@'
if test "${devtype}" = dhcp; then
	tftpboot ${kernel_addr_r} Image
else
	load ${devtype} ${devnum}:${distro_bootpart} ${kernel_addr_r} ${prefix}Image
fi
booti ${kernel_addr_r} - ${fdtcontroladdr}
