import {readText} from '../../host/files/read-text.ts';
import type {BootLoader, FoundCommand} from './model.ts';
import {type FailedCommand, isRehearsable} from './run-boot.ts';

/** What a rehearsal of the boot has shown. */
export type BootFindings = {
	/** Behind these the rules of fw-wizard were no longer what they should be. */
	readonly takers: ReadonlySet<BootLoader>;
	readonly failed: readonly FailedCommand[];
};

/** What is said of the commands that change rules at boot, each text safe to print. */
type Judgement = {
	/** They take the rules of fw-wizard away, or may. */
	readonly fatal: readonly string[];
	/** What they do was not seen, and they may open or close ports. */
	readonly doubtful: readonly string[];
};

/**
 * Judges what else changes rules at boot. What could be rehearsed is judged by that; of anything else, the text
 * of its commands says what it may do.
 * @param findings undefined where nothing could be rehearsed here
 */
export function judgeLoaders(
	loaders: readonly BootLoader[],
	findings: BootFindings | undefined,
): Judgement {
	const fatal = loaders.flatMap((loader) => {
		if (loader.when === 'before' || loader.when === 'later') {
			return [];
		}

		const removing = loader.commands.filter(removes);
		const isTaker = findings?.takers.has(loader);
		// Behind one that took them away, nothing shows what the next one would have done.
		const isCleared = findings !== undefined && isRehearsable(loader) && findings.takers.size === 0;
		const named = isTaker && removing.length === 0 ? loader.commands : removing;
		return isCleared ? [] : describe(loader, named, 'runs after fw-wizard');
	});
	const doubtful = loaders.flatMap((loader) =>
		loader.when === 'later'
			? describe(loader, loader.commands.filter(removes), 'does not run at boot')
			: isRehearsable(loader)
				? []
				: describe(
						loader,
						loader.commands.filter(
							(command) =>
								command.effect === 'decides' || (loader.when === 'before' && removes(command)),
						),
						'was not tried',
					),
	);
	const failed = findings?.failed.flatMap(({loader, command, message}) =>
		describe(loader, [command], `could not be tried: ${message}`),
	);
	return {fatal, doubtful: [...doubtful, ...(failed ?? [])]};
}

function removes({effect}: FoundCommand): boolean {
	return effect === 'removes' || effect === 'unknown';
}

/** The first of some commands: `/etc/rc.local:3 "iptables -F" (rc-local.service, runs after fw-wizard; 2 more)` */
function describe(
	{by}: BootLoader,
	[first, ...more]: readonly FoundCommand[],
	how: string,
): readonly string[] {
	const count = more.length === 0 ? '' : `; ${more.length} more`;
	return first === undefined
		? []
		: [`${first.file}:${first.line} "${first.text}" (${by}, ${how}${count})`];
}

/** Where a rule stands that some of the loaders have loaded: `/etc/iptables/rules.v4:9`. */
export function placeOfRule(rule: string, loaders: readonly BootLoader[]): string | undefined {
	for (const {restores} of loaders.flatMap(({commands}) => commands)) {
		const lines = restores === undefined ? [] : (readText(restores.file) ?? '').split('\n');
		const at = lines.findIndex((line) => line.replace(/^\[\d+:\d+\] /, '').trim() === rule);
		if (restores !== undefined && at !== -1) {
			return `${restores.file}:${at + 1}`;
		}
	}

	return undefined;
}
