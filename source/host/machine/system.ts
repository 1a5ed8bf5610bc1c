import {existsSync} from 'node:fs';
import os from 'node:os';
import {type Fact, known, unknown} from '../../lib/fact.ts';
import {printable} from '../../lib/printable.ts';
import {readText} from '../files/read-text.ts';
import {socketTables} from '../rehearsal/is-rehearsal.ts';
import {isRoot} from './host-facts.ts';

/** Release of the running kernel: 6.1.0-18-amd64. */
export function kernelHere(): string {
	return printable(os.release());
}

/** What the distribution calls itself (os-release(5)). */
export function distributionHere(): Fact<string> {
	const text = ['/etc/os-release', '/usr/lib/os-release'].map(readText).find(Boolean) ?? '';
	const name = parseOsRelease(text);
	return name === undefined ? unknown('no os-release(5) names it') : known(name);
}

/** PRETTY_NAME, or NAME and VERSION, without quotes and escapes; undefined where neither is there. */
export function parseOsRelease(text: string): string | undefined {
	const values = new Map(
		[...text.matchAll(/^(\w+)=(?:"((?:\\.|[^"\\\n])*)"|'([^'\n]*)'|(\S*))/gm)].map(
			([, name, double, single, bare]) => [
				name,
				double?.replaceAll(/\\(.)/g, '$1') ?? single ?? bare ?? '',
			],
		),
	);
	const name = values.get('PRETTY_NAME') || [values.get('NAME'), values.get('VERSION')].join(' ');
	return printable(name.trim()) || undefined;
}

/** Whether the kernel has IPv6, and whether it is switched off on all interfaces. */
export type Ipv6 = 'there' | 'switched off' | 'absent';

export function ipv6Here(): Fact<Ipv6> {
	const hidden = unknown('/proc/sys/net cannot be read');
	if (!existsSync('/proc/sys/net/ipv6')) {
		return existsSync('/proc/sys/net/ipv4') ? known('absent') : hidden;
	}

	const off = readText('/proc/sys/net/ipv6/conf/all/disable_ipv6')?.trim();
	return off === undefined ? hidden : known(off === '1' ? 'switched off' : 'there');
}

/** CAP_NET_ADMIN (capabilities(7)), without which not even root reads or changes rules. */
const NET_ADMIN = 1n << 12n;

/** Whether this process may administer its network. */
export function netAdminHere(): Fact<boolean> {
	const effective = /^CapEff:\s*([\da-f]+)/m.exec(readText('/proc/self/status') ?? '')?.[1];
	if (effective === undefined) {
		return isRoot() ? unknown('/proc/self/status cannot be read') : known(false);
	}

	return known((BigInt(`0x${effective}`) & NET_ADMIN) !== 0n);
}

/** Whether the tables of sockets can be read at all. */
export function seesSockets(): boolean {
	return (readText(`${socketTables()}/tcp`) ?? '') !== '';
}
