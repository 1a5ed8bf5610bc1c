import {type BootFindings, judgeLoaders} from '../persistence/boot-loaders/judge.ts';
import type {BootLoader} from '../persistence/boot-loaders/model.ts';
import {describeMeanwhile} from '../persistence/watch/choice.ts';
import {failed, type Item, joinTexts, ok, open} from './checklist-item.ts';

const ID = 'loaders';
const TITLE = 'nothing else that runs at boot takes the rules away';

/**
 * The items of what else changes rules at boot, by the commands that it runs.
 * @param findings what a rehearsal has shown; undefined where there was none
 */
export function describeLoaders(
	loaders: readonly BootLoader[],
	findings: BootFindings | undefined,
): readonly Item[] {
	const {fatal, doubtful} = judgeLoaders(loaders, findings);
	return [
		fatal.length === 0
			? ok(ID, TITLE)
			: failed(
					...([ID, TITLE, `${joinTexts(fatal)}; ${describeMeanwhile()}`] as const),
					'Take these commands out; rules that they add can stay, in chains of their own',
				),
		...(doubtful.length === 0
			? []
			: [
					open(
						...([
							...['loaders-unknown', 'what other commands do to the rules is known'],
							joinTexts(doubtful),
						] as [string, string, string]),
						'See whether they may open ports, or remove rules',
					),
				]),
	];
}
