import process from 'node:process';
import {CLI} from '../_helpers/lab/cli.ts';

/**
 * Builds a root of Node, its libraries and the program, hides what /proc says of iptables, and takes
 * every capability away. Nothing else is there: no shell, no iptables, no ss, no /etc.
 */
const ENTER = `
node=$1 cli=$2
shift 2
mount -t tmpfs -o mode=0755 fww-test /mnt
cd /mnt
mkdir proc dev tmp app root
for file in "$node" $(ldd "$node" | grep -o '/[^ ]*') $(ldd "$(command -v setpriv)" | grep -o '/[^ ]*') "$(command -v setpriv)"; do
	mkdir -p ".$(dirname "$file")"
	cp -L "$file" ".$file"
done
cp -R "$(dirname "$cli")/." app
mount --rbind /dev dev
mount -t proc proc proc
for file in proc/net/ip_tables_names proc/net/ip6_tables_names; do
	[ ! -e "$file" ] || mount --bind dev/null "$file"
done
exec chroot . "$(command -v setpriv)" --bounding-set=-all --inh-caps=-all "$node" /app/cli.js "$@"
`;

/** What stands before the program's arguments, to run it as root in a container that has nothing. */
export function bareContainer(): readonly string[] {
	const alone = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child'];
	return [
		...[...alone, '--propagation', 'private', '--', 'sh', '-ec', ENTER, 'sh'],
		...[process.execPath, CLI],
	];
}
