import {existsSync, readFileSync} from 'node:fs';
import {run} from '../host/run.ts';
import {OWN_PREFIX} from '../ruleset/ruleset.ts';
import {failed, type Item, ok} from './item.ts';

/** Files and services of other firewalls, which would load their rules over ours or beside them. */
const ID = 'rivals';
const TITLE = 'no other firewall overwrites it';

/** Looks for ufw, firewalld, nftables.service with flush, and netfilter-persistent. */
export async function checkRivals(): Promise<Item> {
	if (/^ENABLED=yes/im.test(read('/etc/ufw/ufw.conf'))) {
		return failed(ID, TITLE, 'ufw is enabled, and loads its own rules at boot', 'ufw disable');
	}

	if (await isEnabled('firewalld')) {
		return failed(
			...([ID, TITLE, 'firewalld is enabled, and loads its own rules at boot'] as const),
			'systemctl disable --now firewalld',
		);
	}

	if (/^\s*flush\s+ruleset/m.test(read('/etc/nftables.conf')) && (await isEnabled('nftables'))) {
		return failed(
			...([
				ID,
				TITLE,
				'nftables.service is enabled and flushes all rules at each start and stop',
			] as const),
			'systemctl disable nftables, or take "flush ruleset" out of /etc/nftables.conf',
		);
	}

	const frozen = ['/etc/iptables/rules.v4', '/etc/iptables/rules.v6'].find(
		(file) => read(file).includes('*filter') && !read(file).includes(OWN_PREFIX),
	);
	if (frozen !== undefined && (await isEnabled('netfilter-persistent'))) {
		return failed(
			...([
				ID,
				TITLE,
				`netfilter-persistent restores ${frozen}, which does not have our jump`,
			] as const),
			'systemctl disable netfilter-persistent; at boot our rules are loaded after its',
		);
	}

	return ok(ID, TITLE);
}

async function isEnabled(unit: string): Promise<boolean> {
	const {stdout} = await run('systemctl', ['is-enabled', unit]);
	return stdout.trim() === 'enabled';
}

function read(file: string): string {
	return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
