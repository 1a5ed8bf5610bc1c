import {useStdout} from 'ink';
import {type PropsWithChildren, type ReactElement, useLayoutEffect} from 'react';

const ON = '\u001B[?2004h';
const OFF = '\u001B[?2004l';

/** Asks the terminal to mark what is pasted, until the program ends, also where a signal ends it. */
export function PasteMode({children}: PropsWithChildren): ReactElement {
	const {stdout} = useStdout();
	useLayoutEffect(() => {
		stdout.write(ON);
		return () => {
			stdout.write(OFF);
		};
	}, [stdout]);
	return <>{children}</>;
}
