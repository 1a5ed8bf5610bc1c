import {POLICY_FILE} from '../change/paths.ts';
import {findManagers} from '../host/managers.ts';
import {failed, type Item, ok} from './item.ts';

const ID = 'rivals';
const TITLE = 'no other firewall overwrites it';

/** Looks for other firewalls, which would load their rules over ours or beside them. */
export async function checkRivals(): Promise<Item> {
	const {ufw, firewalld, nftables, frozen} = await findManagers();
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
			'systemctl disable nftables, or take "flush ruleset" out of /etc/nftables.conf',
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
				'systemctl disable netfilter-persistent; at boot our rules are loaded after its',
			);
}
