import {useEffect, useRef, useState} from 'react';
import type {Checker} from '../../app/check.ts';
import type {Item} from '../../checklist/checklist-item.ts';
import {describeError} from '../../lib/errors.ts';

export type ChecklistState = {
	/** Undefined until the checklist has run once. */
	readonly items: readonly Item[] | undefined;
	readonly busy: boolean;
	/** Why the checklist could not run. */
	readonly error: string | undefined;
};

export type ChecklistAction = 'check' | 'mend' | 'scanned' | 'way-in';

/** Runs the checklist when its step is entered, and again after each action. */
export function useChecklist(
	active: boolean,
	checker: Checker,
): {readonly checklist: ChecklistState; readonly act: (action: ChecklistAction) => Promise<void>} {
	const [checklist, setChecklist] = useState<ChecklistState>({
		items: undefined,
		busy: false,
		error: undefined,
	});
	const running = useRef(false);

	const act = async (action: ChecklistAction) => {
		if (running.current) {
			return;
		}

		running.current = true;
		setChecklist((state) => ({...state, busy: true}));
		try {
			const items = await (action === 'check' || action === 'mend'
				? checker[action]()
				: checker.tick(action));
			setChecklist({items, busy: false, error: undefined});
		} catch (error) {
			const message = describeError(error);
			setChecklist((state) => ({...state, busy: false, error: message}));
		}

		running.current = false;
	};

	// biome-ignore lint/correctness/useExhaustiveDependencies: once each time the step is entered
	useEffect(() => {
		if (active) {
			void act('check');
		}
	}, [active]);

	return {checklist, act};
}
