import {existsSync} from 'node:fs';
import {readText} from '../host/files/read-text.ts';
import {isRoot} from '../host/machine/host-facts.ts';
import {netAdminHere} from '../host/machine/system.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {findLasting} from './volatile-root.ts';

/**
 * Why rules cannot be made permanent on this system, and what to do instead: the system writes its
 * configuration anew at each boot, forgets what is written to it, or has no netfilter. Undefined for every other system.
 */
export function findUnsupported(): HostError | undefined {
	if (existsSync('/etc/NIXOS')) {
		return new HostError(
			'NixOS makes /etc anew from its configuration: what fw-wizard writes there does not last',
			`Put the rules into networking.firewall.extraCommands. ${inPrint()}`,
		);
	}

	if (findLasting() === 'in memory') {
		return new HostError(
			'What is written to /etc here lies in memory, and does not last until the next boot',
			`Apply where it lasts: overlayroot-chroot(8), or the overlay switched off. ${inPrint()}`,
		);
	}

	if (existsSync('/etc/openwrt_release')) {
		return new HostError(
			'OpenWrt has a firewall of its own, which loads its rules anew at every change of the network',
			`Put what you need into /etc/config/firewall. ${inPrint()}`,
		);
	}

	// "4.4.0-19041-Microsoft"; WSL 2 has a kernel of its own: "5.15.90.1-microsoft-standard-WSL2".
	if (/^Linux version \S+-Microsoft\b/.test(readText('/proc/version') ?? '')) {
		return new HostError(
			'WSL 1 has no netfilter: Windows filters its packets',
			`Use the firewall of Windows, or WSL 2. The rules in print: ${commandLine('rules')}`,
		);
	}

	return undefined;
}

/** Root without the right to load rules, as in a container that was started without CAP_NET_ADMIN. */
export function findMissingRight(): HostError | undefined {
	return isRoot() && netAdminHere().value === false
		? new HostError(
				'This container has not the right to load rules (CAP_NET_ADMIN)',
				`Firewall its host, or start it with --cap-add=NET_ADMIN. The rules in print: ${commandLine('rules')}`,
			)
		: undefined;
}

/** How to see the rules here, and to load them without the next boot. */
function inPrint(): string {
	return `The rules in print: ${commandLine('rules')}. To load them now, and see to the boot yourself: --boot none`;
}
