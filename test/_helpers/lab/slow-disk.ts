import process from 'node:process';
import type {Host} from './namespaces.ts';
import {processesOf} from './processes.ts';

/** A disk of its own below /etc and /var/lib of a machine, which forgets what was not written to it. */
export type Disk = {
	/**
	 * Cuts the power: ends every process, and mounts what the disk has by now. What was written and not
	 * synced is lost. The kernel begins with another boot identifier and without rules.
	 */
	readonly cutPower: () => Promise<void>;
	readonly remove: () => Promise<void>;
};

/** Pages are written back, and the journal of ext4 is committed, only where a program syncs. */
const MOUNT = `
mount -o loop,commit=3600 "$1" /mnt
for folder in etc var/lib; do
	mkdir -p "/mnt/$folder/upper" "/mnt/$folder/work"
	mount -t overlay fww-disk -o "lowerdir=/$folder,upperdir=/mnt/$folder/upper,workdir=/mnt/$folder/work" "/$folder"
done`;

/** Two copies that are the same show that nothing was written meanwhile. A process that ends closes its files last. */
const CUT = `
cp "$1" "$2"
until cmp -s "$1" "$2"; do cp "$1" "$2"; done
for folder in /etc /var/lib /mnt; do until umount "$folder"; do sleep 0.1; done; done`;

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const BOOT = `
umount ${BOOT_ID} 2>/dev/null || true
cp ${BOOT_ID} "$1" && sed -i "s/^......../$2/" "$1" && mount --bind "$1" ${BOOT_ID}
for tool in iptables ip6tables; do
	for table in filter nat mangle raw; do
		printf '*%s\\nCOMMIT\\n' "$table" | "$tool-restore"
		"$tool" -t "$table" -F && "$tool" -t "$table" -X
	done
done`;

/** Puts a machine on a disk of its own. */
export async function useDisk(host: Host): Promise<Disk> {
	let number = 0;
	const image = () => `${host.folder}/disk-${number}`;
	const script = async (text: string, ...args: readonly string[]) =>
		host.must('sh', ['-ec', text, 'sh', ...args]);
	await script('truncate -s 24M "$1" && mkfs.ext4 -qF -b 4096 "$1"', image());
	await script(MOUNT, image());
	await script('sync -f /mnt');
	return {
		async cutPower() {
			let processes = await processesOf(host);
			while (processes.length > 0) {
				for (const {pid} of processes) {
					try {
						process.kill(pid, 'SIGKILL');
					} catch {}
				}

				processes = await processesOf(host);
			}

			const old = image();
			number += 1;
			await script(CUT, old, image());
			await script(MOUNT, image());
			await script('rm "$1"', old);
			await script(BOOT, `${host.folder}/boot-id`, `${number}`.padStart(8, '0'));
		},
		async remove() {
			await script(`umount ${BOOT_ID} || true; umount /etc && umount /var/lib && umount /mnt`);
		},
	};
}
