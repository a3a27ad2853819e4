import { render } from 'preact';
import { OperationsView } from './operations-view.tsx';

render(<OperationsView />, document.body);
