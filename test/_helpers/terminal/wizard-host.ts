import {beforeAll} from 'vitest';
import {type Host, useLab} from '../lab/namespaces.ts';
import {type StartOptions, type Terminal, useTerminals} from './terminal.ts';

/** A machine of its own on which the wizard is opened, as root. */
type WizardHost = {
	readonly host: () => Host;
	/** Opens the wizard in a new terminal. */
	readonly open: (options?: StartOptions, ...args: readonly string[]) => Terminal;
	/** Runs any program of that machine in a new terminal. */
	readonly start: (words: readonly string[], options?: StartOptions) => Terminal;
};

/** To be called in a `describe` block. */
export function useWizardHost(): WizardHost {
	const lab = useLab();
	const terminals = useTerminals();
	let host: Host;
	beforeAll(async () => {
		host = await lab.host();
	});
	const here = (options: StartOptions = {}): StartOptions => ({
		...options,
		enter: host.enter,
		variables: {...host.variables, ...options.variables},
	});
	return {
		host: () => host,
		open: (options, ...args) => terminals.wizard(args, here(options)),
		start: (words, options) => terminals.start(words, here(options)),
	};
}
