/**
 * The functions of the exported script for ufw and firewalld. Until the change is kept they are only stopped: where the
 * machine boots meanwhile, they load their rules again, as before.
 */
export const FIREWALL_FUNCTIONS = `# The other firewalls that are active, a line each, in $active.
find_active() {
	active=
	! systemctl --quiet is-active firewalld 2>/dev/null || active=firewalld
	command -v ufw >/dev/null || return 0
	while read -r line; do
		case $line in ENABLED=yes | ENABLED=YES) active=\${active:+$active$nl}ufw ;; esac
	done 2>/dev/null </etc/ufw/ufw.conf
}

# Stops ("stop") or starts ("start") those in $active.
turn_others() {
	for name in $active; do
		case $name in
		ufw)
			for init in /lib/ufw/ufw-init /usr/libexec/ufw/ufw-init /usr/lib/ufw/ufw-init; do
				[ ! -x "$init" ] || break
			done
			"$init" "$1"
			;;
		firewalld) systemctl "$1" firewalld ;;
		esac >/dev/null 2>&1 || return
	done
}

# Those that were stopped do not start again at boot.
disable_others() {
	for name in $active; do
		case $name in
		ufw) ufw disable ;;
		firewalld) systemctl --quiet disable firewalld ;;
		esac >/dev/null 2>&1 || say "$name could not be disabled: the next boot starts it again"
	done
}
`;
