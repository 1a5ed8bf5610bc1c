import {HostError} from '../../lib/errors.ts';
import {findProgram} from '../exec/find-program.ts';

/** How a package manager installs iptables, without questions of its own. */
type Installer = {
	readonly program: string;
	readonly args: readonly string[];
	/** Fetches the lists of packages, where a new machine has none. */
	readonly refresh?: readonly string[];
};

const INSTALLERS: readonly Installer[] = [
	{
		program: 'apt-get',
		args: ['install', '-y', '--no-install-recommends', 'iptables'],
		refresh: ['update'],
	},
	{program: 'dnf', args: ['install', '-y', 'iptables-nft']},
	{program: 'zypper', args: ['--non-interactive', 'install', 'iptables']},
	// The one with the backend nft, named iptables-nft until 2026.
	{program: 'pacman', args: ['-S', '--noconfirm', 'iptables']},
	{program: 'apk', args: ['add', 'iptables', 'ip6tables'], refresh: ['update']},
];

/** The command that would install iptables here, or undefined with an unknown package manager. */
export function findInstaller(): Installer | undefined {
	return INSTALLERS.find(({program}) => findProgram(program));
}

/** The command as one types it. */
export function printCommand({program, args}: Installer): string {
	return [program, ...args].join(' ');
}

/** What is not installed where iptables cannot be used: its IPv6 half may be a package of its own. */
export function missingProgram(): 'iptables' | 'ip6tables' {
	const isHalf = findProgram('iptables-restore') && !findProgram('ip6tables-restore');
	return isHalf ? 'ip6tables' : 'iptables';
}

/** The error where iptables is not installed, with the command that installs it. */
export function iptablesMissing(): HostError {
	const installer = findInstaller();
	return new HostError(
		`${missingProgram()} is not installed`,
		installer === undefined
			? 'Install iptables and ip6tables with your package manager'
			: `Install it: ${printCommand(installer)}`,
		3,
		'no-iptables',
	);
}
