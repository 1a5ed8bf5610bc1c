import type {KnownProgram} from './known-program.ts';

/**
 * Programs that block addresses which attack this machine. Names are from their sources: the actions
 * iptables*, nftables* of fail2ban, cs-firewall-bouncer, and the backends sshg-fw-* of sshguard.
 * With an ipset they have no chain, only a rule in INPUT that names the set.
 */
export const BAN_PROGRAMS: readonly KnownProgram[] = [
	{
		name: 'fail2ban',
		kind: 'bans',
		chains: /^(?:f2b|fail2ban)-/,
		tables: /^(?:inet|ip6?) f2b-table$/,
		rules: /--match-set (?:f2b|fail2ban)-/,
		services: ['fail2ban.service'],
		processes: ['fail2ban-server'],
		unban: 'fail2ban-client unban',
		needsFilter: false,
		does: 'fail2ban bans addresses that guess passwords',
		means: 'Its bans come before our rules and keep working',
		breaks: 'fail2ban: addresses that are banned now are allowed until fail2ban is restarted',
	},
	{
		name: 'CrowdSec',
		kind: 'bans',
		chains: /^CROWDSEC/,
		tables: /^ip6? crowdsec6?$/,
		rules: /--match-set crowdsec/,
		services: ['crowdsec.service', 'crowdsec-firewall-bouncer.service'],
		processes: ['crowdsec', 'crowdsec-firewa'],
		unban: 'cscli decisions delete --ip',
		needsFilter: false,
		does: 'CrowdSec bans addresses that are known for attacks',
		means: 'Its bans come before our rules and keep working',
		breaks: 'CrowdSec: banned addresses are allowed until its firewall bouncer is restarted',
	},
	{
		name: 'sshguard',
		kind: 'bans',
		chains: /^sshguard$/,
		tables: /^ip6? sshguard$/,
		rules: /--match-set sshguard[46] /,
		services: ['sshguard.service'],
		processes: ['sshguard', 'sshg-blocker'],
		needsFilter: false,
		does: 'sshguard blocks addresses that guess passwords',
		means: 'Its rules are evaluated first, and keep working',
		breaks: 'sshguard: addresses that are blocked now can connect until sshguard is restarted',
	},
];
