/**
 * Lists the chains of $program in columns, where a save puts one word behind the other: a name with spaces in it
 * looks like options there.
 */
const LIST = `list() {
	while read -r table chain; do
		printf '\\0' && "$program" -w 10 -t "$table" -n -v -x -L "$chain" || return 4
	done <"chains-\${program##*/}"
}`;

/**
 * Lists the chains as they are on this machine, beside the rehearsal that the arguments start. Arguments: the folder,
 * then the command.
 */
export const BESIDE = `cd "$1" && shift && read -r programs <programs || exit 1
${LIST}
(for program in $programs; do list >"now-\${program##*/}" || exit 4; done) &
"$@"
status=$?
wait "$!" && exit "$status"`;

/**
 * In a namespace of its own: loads what was saved, then the new rules, saves, runs the very rollback script in
 * the folder, saves again, and lists. Arguments: for each load a file and the command that reads it, with `+` behind
 * those that run side by side. What the script may start beside iptables reaches the machine's own services, and is
 * not started; they count as running, as they do before the change.
 */
export const REHEARSE = `[ /proc/self/ns/net -ef "/proc/$PPID/ns/net" ] && exit 1
echo begun
read -r programs <programs
save() { "$program-save"; }
${LIST}
# Has $1 done for each program, into a file of its own. Families do not wait for each other's lock.
each() {
	wave=
	for program in $programs; do
		(export XTABLES_LOCKFILE="$PWD/\${program##*/}.lock" && "$1") >"$2-\${program##*/}" &
		wave="$wave $!"
	done
	for one in $wave; do wait "$one" || exit 4; done
}
while [ "$#" -gt 0 ]; do
	wave=
	while [ "$1" != + ]; do
		case $1 in
		# The new rules will be loaded under the lock of this machine: it is tried as well.
		new*) $2 <"$1" & ;;
		*) XTABLES_LOCKFILE="$PWD/$1.lock" $2 <"$1" & ;;
		esac
		wave="$wave $!"
		shift 2
	done
	shift
	for load in $wave; do wait "$load" || exit 2; done
done
export XTABLES_LOCKFILE="$PWD/xtables.lock"
each save loaded
(cd() { :; }; systemctl() { [ "$1" = is-active ]; }; set -- now; . ./rollback) >&2 || exit 3
restored() { save && list; }
each restored restored`;
