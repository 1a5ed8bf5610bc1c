import process from 'node:process';
import {createInterface} from 'node:readline/promises';
import {runAttached} from '../host/exec/run-attached.ts';
import {isRoot} from '../host/machine/host-facts.ts';
import {findInstaller, printCommand} from '../host/machine/packages.ts';

/**
 * Tells the user that iptables is missing. As root, and with a known package manager, it asks whether
 * to install iptables. This runs before a rehearsal starts, since what is installed in the copy of the
 * machine is gone afterwards.
 */
export async function offerInstall(): Promise<void> {
	if (!process.stdin.isTTY) {
		return;
	}

	const installer = findInstaller();
	if (installer === undefined || !isRoot()) {
		process.stdout.write(
			`iptables is not installed. You can look at the rules, but not load them.${
				installer === undefined ? '' : ` To install it: ${printCommand(installer)}`
			}\n`,
		);
	}

	const questions = createInterface({input: process.stdin, output: process.stdout});
	try {
		if (installer === undefined || !isRoot()) {
			await questions.question('Press Enter to continue. ');
			return;
		}

		const answer = await questions.question(
			`iptables is not installed. Install it now with "${printCommand(installer)}"? [y/N] `,
		);
		if (!/^y(es)?$/i.test(answer.trim())) {
			return;
		}
	} finally {
		questions.close();
	}

	const {program, args, refresh} = installer;
	let status = await runAttached(program, args);
	if (status !== 0 && refresh !== undefined) {
		await runAttached(program, refresh);
		status = await runAttached(program, args);
	}

	if (status !== 0) {
		process.stderr.write(`${program} ended with ${status}; iptables is still missing\n`);
	}
}
