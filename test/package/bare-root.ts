import {debianRoot} from '../_helpers/lab/debian-root.ts';

/** Lays a copy over the system $1 and takes Node out of it, puts the binary $2 in, and runs the rest there. */
const ENTER = `
root=$1 binary=$2
shift 2
mount -t tmpfs fww-test /mnt
cd /mnt
mkdir upper work root
mount -t overlay -o "lowerdir=$root,upperdir=upper,workdir=work" fww-test root
rm -f root/usr/local/bin/node
touch root/usr/local/bin/fw-wizard
mount --bind "$binary" root/usr/local/bin/fw-wizard
mount -t proc proc root/proc
mount --rbind /dev root/dev
cd root
exec unshare --net chroot . /bin/sh -c 'cd / && exec "$@"' sh "$@"
`;

/**
 * What stands before a program that is to run in a Debian 12 without Node, in network and mount
 * namespaces of its own. The stand-alone binary is in its path.
 */
export async function bareDebian(binary: string): Promise<readonly string[]> {
	const root = await debianRoot('bookworm');
	const alone = ['unshare', '--mount', '--propagation', 'private', '--'];
	return [...alone, 'sh', '-ec', ENTER, 'sh', root, binary];
}
