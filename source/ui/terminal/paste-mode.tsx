import {useStdout} from 'ink';
import {type PropsWithChildren, type ReactElement, useLayoutEffect} from 'react';

export const PASTE_ON = '\u001B[?2004h';
export const PASTE_OFF = '\u001B[?2004l';

/**
 * Asks the terminal to mark pasted text (bracketed paste), until the program ends, also when a
 * signal ends it.
 */
export function PasteMode({children}: PropsWithChildren): ReactElement {
	const {stdout} = useStdout();
	useLayoutEffect(() => {
		stdout.write(PASTE_ON);
		return () => {
			stdout.write(PASTE_OFF);
		};
	}, [stdout]);
	return <>{children}</>;
}
