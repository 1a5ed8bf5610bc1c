import {mkdirSync} from 'node:fs';
import path from 'node:path';
import {debianRoot} from '../_helpers/lab/debian-root.ts';
import {succeed} from '../_helpers/lab/programs.ts';

/** Shows the layers $1 as one system, without Node; what is written goes to $2, or is gone. Runs the rest there. */
const ENTER = `
layers=$1 upper=$2
shift 2
mount -t tmpfs fww-test /mnt
[ -n "$upper" ] || { upper=/mnt/upper; mkdir "$upper" /mnt/work; }
mkdir /mnt/root
mount -t overlay -o "lowerdir=$layers,upperdir=$upper,workdir=\${upper%/*}/work" fww-test /mnt/root
cd /mnt/root
rm -f usr/local/bin/node
mount -t proc proc proc
mount --rbind /dev dev
exec unshare --net chroot . /bin/sh -c 'cd / && exec "$@"' sh "$@"
`;

/** The package of this machine's Debian that has the library which Node needs since version 25, as a file in $1. */
const FETCH = 'cd "$1"; exec apt-get -q -o APT::Sandbox::User=root download libatomic1';

/** A Debian 12 without Node, to which packages can be added. */
type BareDebian = {
	/** What stands before a program that runs there, in network and mount namespaces of its own. */
	readonly enter: readonly string[];
	/** The same, where what is written stays. One after the other. */
	readonly change: readonly string[];
};

/**
 * A Debian 12 without Node, in which the file of a package lies.
 * @param folder where its changes are kept, empty
 * @param deb lies there as /tmp/fw-wizard.deb, and beside it libatomic1*.deb
 */
export async function bareDebian(folder: string, deb: string): Promise<BareDebian> {
	const root = await debianRoot('bookworm');
	const upper = path.join(folder, 'upper');
	mkdirSync(path.join(upper, 'tmp'), {recursive: true});
	mkdirSync(path.join(folder, 'work'));
	await succeed(['sh', '-ec', FETCH, 'sh', path.join(upper, 'tmp')], {timeout: 120_000});
	await succeed(['cp', deb, path.join(upper, 'tmp/fw-wizard.deb')]);
	const start = ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-ec', ENTER, 'sh'];
	return {
		enter: [...start, `${upper}:${root}`, ''],
		change: [...start, root, upper],
	};
}
