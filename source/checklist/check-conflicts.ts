import {existsSync} from 'node:fs';
import {POLICY_FILE} from '../change/paths.ts';
import {readText} from '../host/files/read-text.ts';
import {disableCommand, isEnabled} from '../host/machine/systemd.ts';
import type {Managers} from '../host/netfilter/managers.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import {RULE_LOADERS, type RuleLoader} from '../services/known-programs/firewalls.ts';
import {failed, type Item, ok} from './checklist-item.ts';

const ID = 'rivals';
const TITLE = 'no other firewall overwrites it';

/** Looks for other firewalls, which would replace the rules at boot or add theirs to them. */
export function checkConflicts({ufw, firewalld, nftables, frozen}: Managers): Item {
	if (ufw) {
		return failed(
			...([ID, TITLE, 'ufw is enabled, and loads its own rules at boot'] as const),
			'ufw disable',
		);
	}

	if (firewalld) {
		return failed(
			...([
				ID,
				TITLE,
				firewalld.enabled
					? 'firewalld is enabled, and loads its own rules at boot'
					: 'firewalld has rules of its own loaded',
			] as const),
			// Not systemctl stop: firewalld empties all tables of iptables when it ends.
			`fw-wizard apply --policy ${POLICY_FILE} --switch-off firewalld`,
		);
	}

	if (nftables?.flushes) {
		return failed(
			...([
				ID,
				TITLE,
				'nftables.service is enabled and flushes all rules at each start and stop',
			] as const),
			`${disableCommand('nftables')}, or take "flush ruleset" out of /etc/nftables.conf`,
		);
	}

	return frozen === undefined
		? ok(ID, TITLE)
		: failed(
				...([
					ID,
					TITLE,
					`netfilter-persistent restores ${frozen}, which does not have our jump`,
				] as const),
				disableCommand('netfilter-persistent'),
			);
}

/**
 * Describes how the rules of fw-wizard coexist with other services that load rules at boot. It changes
 * nothing of them.
 */
export async function describeCoexisting({frozen}: Managers): Promise<readonly Item[]> {
	const enabled = await Promise.all(
		RULE_LOADERS.map(async (loader) => ((await startsAtBoot(loader)) ? [loader] : [])),
	);
	// A service that conflicts is not listed as coexisting as well.
	const companions = enabled
		.flat()
		.filter(({name}) => name !== 'netfilter-persistent' || frozen === undefined);
	return companions.map(({name, files}) => {
		const file = files.find((candidate) => existsSync(candidate));
		return {
			...ok(`companion-${name}`, `${name} loads its rules first, and ours are added to them`),
			cause: `${file ?? 'What it loads'} stays as it is. Whoever starts ${name} anew ${
				file !== undefined && hasOurs(file)
					? 'has our rules as that file has them'
					: 'takes our rules away until: fw-wizard check --fix'
			}`,
		};
	});
}

async function startsAtBoot({enabledAs}: RuleLoader): Promise<boolean> {
	return 'unit' in enabledAs
		? isEnabled(enabledAs.unit)
		: ['boot', 'default', 'sysinit'].some((level) =>
				existsSync(`/etc/runlevels/${level}/${enabledAs.script}`),
			);
}

/** Whether a file was saved with the rules of fw-wizard in it. */
function hasOurs(file: string): boolean {
	return readText(file)?.includes(OWN_PREFIX) ?? false;
}
