import {existsSync} from 'node:fs';
import {POLICY_FILE} from '../change/paths.ts';
import {readText} from '../host/files/read-text.ts';
import {isEnabled} from '../host/machine/systemd.ts';
import type {Managers} from '../host/netfilter/managers.ts';
import {commandLine} from '../lib/command-line.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import {RULE_LOADERS, type RuleLoader} from '../services/known-programs/firewalls.ts';
import {failed, type Item, ok} from './checklist-item.ts';

const ID = 'rivals';
const TITLE = 'no other firewall overwrites it';

/** Looks for other firewalls, which load their own rules at boot. */
export function checkConflicts({ufw, firewalld}: Pick<Managers, 'ufw' | 'firewalld'>): Item {
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
			commandLine(`apply --policy ${POLICY_FILE} --switch-off firewalld`),
		);
	}

	return ok(ID, TITLE);
}

/**
 * Describes how the rules of fw-wizard coexist with other services that load rules at boot. It changes
 * nothing of them.
 */
export async function describeCoexisting(): Promise<readonly Item[]> {
	const enabled = await Promise.all(
		RULE_LOADERS.map(async (loader) => ((await startsAtBoot(loader)) ? [loader] : [])),
	);
	return enabled.flat().map(({name, files}) => {
		const file = files.find((candidate) => existsSync(candidate));
		return {
			...ok(`companion-${name}`, `${name} loads its rules first, and ours are added to them`),
			cause: `${file ?? 'What it loads'} stays as it is. Whoever starts ${name} anew ${
				file !== undefined && hasOurs(file)
					? 'has our rules as that file has them'
					: `takes our rules away until: ${commandLine('check --fix')}`
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
