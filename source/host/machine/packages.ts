import {HostError} from '../../lib/errors.ts';
import {findProgram} from '../exec/find-program.ts';

/** The command with which a package manager installs iptables without asking anything. */
export type Installer = {
	readonly program: string;
	readonly args: readonly string[];
	/** The arguments that fetch the lists of packages, which a new machine may lack. */
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
	// This package has the backend nft. It was named iptables-nft until 2026.
	{program: 'pacman', args: ['-S', '--noconfirm', 'iptables']},
	{program: 'apk', args: ['add', 'iptables', 'ip6tables'], refresh: ['update']},
];

/** The command that would install iptables here; undefined where the package manager is unknown. */
export function findInstaller(): Installer | undefined {
	return INSTALLERS.find(({program}) => findProgram(program));
}

/** The command as a user types it. */
export function printCommand({program, args}: Installer): string {
	return [program, ...args].join(' ');
}

/** The error where iptables is not installed, with the command that installs it. */
export function iptablesMissing(): HostError {
	const installer = findInstaller();
	return new HostError(
		'iptables is not installed',
		installer === undefined
			? 'Install iptables and ip6tables with your package manager'
			: `Install it: ${printCommand(installer)}`,
	);
}
