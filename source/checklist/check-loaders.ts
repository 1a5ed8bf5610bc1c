import {findBootLoaders} from '../persistence/boot-loaders/find.ts';
import type {BootLoader, FoundCommand} from '../persistence/boot-loaders/model.ts';
import {findInitSystem} from '../persistence/plan.ts';
import type {Backend} from '../ruleset/model.ts';
import {failed, type Item, ok, open} from './checklist-item.ts';

const ID = 'loaders';
const TITLE = 'nothing else that runs at boot takes the rules away';
/** Further commands are counted. */
const MOST_SHOWN = 4;

/** The items of what else changes rules at boot, by the commands that it runs. */
export async function checkLoaders(backend: Backend): Promise<readonly Item[]> {
	const loaders = await findBootLoaders(findInitSystem()?.name ?? 'none', backend);
	return describeLoaders(loaders);
}

/** @param loaders in the order in which they run */
export function describeLoaders(loaders: readonly BootLoader[]): readonly Item[] {
	const fatal = loaders.flatMap((loader) => texts(loader, isFatal, 'runs after fw-wizard'));
	const doubtful = loaders.flatMap((loader) =>
		texts(loader, isDoubtful, loader.when === 'later' ? 'does not run at boot' : 'was not tried'),
	);
	return [
		fatal.length === 0
			? ok(ID, TITLE)
			: failed(
					...([ID, TITLE, join(fatal)] as const),
					'Take these commands out; what they add can stay, in chains of its own',
				),
		...(doubtful.length === 0
			? []
			: [
					open(
						...([
							'loaders-unknown',
							'what other commands do to rules is known',
							join(doubtful),
						] as const),
						'See whether they may open ports, or remove rules',
					),
				]),
	];
}

/** Behind fw-wizard, it removes rules, or may. */
function isFatal({when}: BootLoader, {effect}: FoundCommand): boolean {
	return (when === 'after' || when === 'unknown') && (effect === 'removes' || effect === 'unknown');
}

/** What it does is not seen, and it may matter. */
function isDoubtful({when, plain}: BootLoader, {effect, load}: FoundCommand): boolean {
	const isSeen = plain && load !== undefined;
	return when === 'later'
		? effect === 'removes'
		: effect !== 'other' && !isSeen && !isFatal({when} as BootLoader, {effect} as FoundCommand);
}

function texts(
	loader: BootLoader,
	isMeant: (loader: BootLoader, command: FoundCommand) => boolean,
	how: string,
): readonly string[] {
	const [first, ...more] = loader.commands.filter((command) => isMeant(loader, command));
	return first === undefined
		? []
		: [
				`${first.file}:${first.line} "${first.text}" (${loader.by}, ${how}${more.length === 0 ? '' : `; ${more.length} more`})`,
			];
}

function join(items: readonly string[]): string {
	const more = items.length - MOST_SHOWN;
	return `${items.slice(0, MOST_SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
